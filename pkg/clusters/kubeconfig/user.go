package kubeconfig

import (
	"strings"
	"unicode"
)

const tokenFix phrase = "create a ServiceAccount in the member and give its token as `token`"

// readUser reads how to prove who we are. As client-go has it, a client certificate goes with a token or with a
// password, but these two exclude each other.
func readUser(s *section, a *accepted) {
	faultsBefore := s.faults.count()

	s.refuse("exec", "runs a command in the hub", tokenFix)
	s.refuse("auth-provider", "runs a plugin in the hub", tokenFix)
	s.refuse("tokenFile", "is the path of a file", "give the token itself as `token`")
	s.refuse("client-certificate", "is the path of a file", embedFix)
	s.refuse("client-key", "is the path of a file", embedFix)
	for _, as := range []phrase{"as", "as-uid", "as-groups", "as-user-extra"} {
		s.refuse(as, "acts as somebody else", "remove it, and give a credential that has the rights itself")
	}
	s.ignore("extensions")

	readToken(s, "token", a)
	readPassword(s, tokenFix, a)
	readClientCertificate(s, "client-certificate-data", "client-key-data", embedFix, a)
	s.end()

	oneOfTwo(s, "token", a)
	if a.credentials() == "" && s.faults.count() == faultsBefore {
		s.faults.add(s.at, s.node.Line, "has no credential", tokenFix)
	}
}

// readToken reads a bearer token. It goes into a header, where a line break begins another header.
func readToken(s *section, field phrase, a *accepted) {
	a.token = s.text(field)
	notVisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if strings.ContainsFunc(a.token, notVisible) {
		s.fault(field, "has a blank, a line break or another character that no token has", "give it on one line, without blanks around it")
	}
}

// oneOfTwo keeps a token and a password apart: a request has one place for the two.
func oneOfTwo(s *section, tokenField phrase, a *accepted) {
	if a.token != "" && a.username != "" {
		s.fault(tokenField, "is given beside a username and a password", "keep one of the two")
	}
}

func readPassword(s *section, insteadFix phrase, a *accepted) {
	a.username, a.password = s.text("username"), s.text("password")
	for _, f := range []struct {
		name phrase
		text string
	}{{"username", a.username}, {"password", a.password}} {
		if strings.ContainsFunc(f.text, unicode.IsControl) {
			s.fault(f.name, "has a line break or another control character", "give it on one line")
		}
	}
	if strings.Contains(a.username, ":") { // where basic authentication ends the name and begins the password
		s.fault("username", "has a colon", insteadFix)
	}
	switch {
	case a.username != "" && a.password == "" && s.value("password") == nil:
		s.fault("password", "is missing beside a username", "add it")
	case a.username == "" && a.password != "" && s.value("username") == nil:
		s.fault("username", "is missing beside a password", "add it")
	}
}

func readClientCertificate(s *section, certField, keyField, fix phrase, a *accepted) {
	cert, key := s.data(certField), s.data(keyField)
	switch {
	case cert != nil && key != nil:
		var problem phrase
		if a.certData, a.keyData, problem = keyPair(cert, key); problem != "" {
			s.fault(certField, problem, "give a certificate and the key it was issued for, as PEM, unencrypted")
		}
	case cert != nil && s.value(keyField) == nil:
		s.fault(keyField, "is missing beside a client certificate", fix)
	case key != nil && s.value(certField) == nil:
		s.fault(certField, "is missing beside a client key", fix)
	}
}
