package standin

import "reflect"

type object = map[string]any

// kinds are the lists of checks in a spec.
var kinds = []string{
	"alertmanager", "awsConfig", "awsConfigRule", "azureDevops", "catalog", "cloudwatch", "containerd",
	"containerdPush", "databaseBackup", "dns", "docker", "dockerPush", "dynatrace", "elasticsearch", "exec", "folder",
	"gitProtocol", "github", "helm", "http", "icmp", "jmeter", "junit", "kubernetes", "kubernetesResource", "ldap",
	"mongodb", "mssql", "mysql", "namespace", "opensearch", "pod", "postgres", "prometheus", "pubsub", "redis",
	"restic", "s3", "tcp",
}

// added is what canary-checker's types write in a check where nothing was: the Go structs among their fields that are no
// pointers. Of the fields that have no struct in them it names those that come out as null.
var added = map[string]object{
	"alertmanager":       {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"awsConfig":          {"display": object{}, "test": object{}, "transform": object{}},
	"awsConfigRule":      {"display": object{}, "test": object{}, "transform": object{}},
	"azureDevops":        {"branch": nil, "display": object{}, "personalAccessToken": object{}, "test": object{}, "thresholdMillis": nil, "transform": object{}, "variables": nil},
	"catalog":            {"display": object{}, "selector": nil, "test": object{}, "transform": object{}},
	"cloudwatch":         {"accessKey": object{}, "display": object{}, "secretKey": object{}, "sessionToken": object{}, "test": object{}, "transform": object{}},
	"containerd":         {"auth": object{"password": object{}, "username": object{}}},
	"databaseBackup":     {"display": object{}, "test": object{}, "transform": object{}},
	"dynatrace":          {"apiKey": object{}, "display": object{}, "test": object{}, "transform": object{}},
	"elasticsearch":      {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"exec":               {"connections": object{}, "display": object{}, "test": object{}, "transform": object{}},
	"folder":             {"display": object{}, "filter": object{}, "test": object{}, "transform": object{}},
	"gitProtocol":        {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"github":             {"display": object{}, "githubToken": object{}, "test": object{}, "transform": object{}},
	"http":               {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"jmeter":             {"jmx": object{}},
	"junit":              {"display": object{}, "spec": nil, "test": object{}, "transform": object{}},
	"kubernetes":         {"display": object{}, "namespaceSelector": object{}, "resource": object{}, "test": object{}, "transform": object{}},
	"kubernetesResource": {"display": object{}, "resources": nil, "test": object{}, "transform": object{}, "waitFor": object{}},
	"ldap":               {"password": object{}, "username": object{}},
	"mongodb":            {"password": object{}, "username": object{}},
	"mssql":              {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"mysql":              {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"opensearch":         {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"postgres":           {"display": object{}, "password": object{}, "test": object{}, "transform": object{}, "username": object{}},
	"prometheus":         {"bearer": object{}, "display": object{}, "oauth": object{"clientID": object{}, "clientSecret": object{}}, "password": object{}, "test": object{}, "tls": object{"ca": object{}, "cert": object{}, "key": object{}}, "transform": object{}, "username": object{}},
	"pubsub":             {"display": object{}, "test": object{}, "transform": object{}},
	"redis":              {"password": object{}, "username": object{}},
	"restic":             {"password": nil},
	"s3":                 {"accessKey": object{}, "secretKey": object{}, "sessionToken": object{}},
	"tcp":                {"display": object{}, "test": object{}, "transform": object{}},
	"webhook":            {"display": object{}, "test": object{}, "transform": object{}},
}

// RoundTrip returns spec as it comes out of canary-checker's types: with what they add to each check, and without the zero
// values that they leave out. Of the latter it knows no exceptions, where canary-checker has a few.
func RoundTrip(spec object) object {
	for _, kind := range kinds {
		list, _ := spec[kind].([]any)
		for _, element := range list {
			if check, ok := element.(object); ok {
				roundTripCheck(kind, check)
			}
		}
		if spec[kind] != nil && len(list) == 0 {
			delete(spec, kind)
		}
	}
	if webhook, ok := spec["webhook"].(object); ok {
		roundTripCheck("webhook", webhook)
	}
	return spec
}

func roundTripCheck(kind string, check object) {
	for name, value := range check {
		if isZero(value) {
			delete(check, name)
		}
	}
	fill(check, added[kind])
}

// fill adds to an object what it lacks.
func fill(to, from object) {
	for name, value := range from {
		inner, isObject := value.(object)
		there, isThere := to[name].(object)
		switch {
		case isObject && isThere:
			fill(there, inner)
		case isObject && to[name] == nil:
			filled := object{}
			fill(filled, inner)
			to[name] = filled
		case to[name] == nil:
			to[name] = value
		}
	}
}

// WithoutZeros returns a value without what a round trip adds or leaves out, nil where that is all. Elements of lists stay.
func WithoutZeros(value any) any {
	switch value := value.(type) {
	case object:
		kept := object{}
		for name, field := range value {
			if field = WithoutZeros(field); field != nil {
				kept[name] = field
			}
		}
		if len(kept) > 0 {
			return kept
		}
		return nil
	case []any:
		if len(value) == 0 {
			return nil
		}
		kept := make([]any, len(value))
		for i, element := range value {
			kept[i] = WithoutZeros(element)
		}
		return kept
	default:
		if isZero(value) {
			return nil
		}
		return value
	}
}

func isZero(value any) bool {
	switch value := value.(type) {
	case object:
		return len(value) == 0
	case []any:
		return len(value) == 0
	default:
		return value == nil || reflect.ValueOf(value).IsZero()
	}
}
