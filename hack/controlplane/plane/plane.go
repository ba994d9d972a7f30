// Package plane knows what one control plane keeps on disk and how its processes are configured: directories,
// certificates, port, kubeconfig and flags. It starts nothing, and it knows nothing of how etcd and kube-apiserver are
// run.
package plane

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Ports are chosen below the range from which systems take ephemeral ones (from 32768 on Linux, 49152 elsewhere), so that no
// outgoing connection takes the port of a plane that is stopped for a while.
const (
	firstPort = 20000
	lastPort  = 29999
)

var validName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Plane is one control plane's place on disk. All of it outlives the processes: started again, it is the same cluster at
// the same address.
type Plane struct {
	// Name is also the kubeconfig's context.
	Name string
	// Dir holds everything but the kubeconfig. The processes run in it, and their flags name files relative to it.
	Dir string
	// Kubeconfig is the administrator's, beside Dir.
	Kubeconfig string
	// Complete has the API server serve and admit all that a cluster's does. It counts when the plane is started.
	Complete bool
}

// New returns the plane called name under dir. It touches nothing.
func New(dir, name string) (*Plane, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("name %q: want a DNS label, such as us-east-1", name)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &Plane{Name: name, Dir: filepath.Join(dir, name), Kubeconfig: filepath.Join(dir, name+".kubeconfig")}, nil
}

// Prepare makes the directory, and in it the keys, the certificates and the audit policy, as far as they are missing.
func (p *Plane) Prepare() error {
	// Nobody else may pass: it holds the CA's key and etcd's socket, which asks for no password.
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	if err := p.prepareKeys(); err != nil {
		return err
	}
	return writeFile(p.file(auditPolicyFile), []byte(auditPolicy))
}

// Listen binds the plane's port on the loopback address: the one it had before, or else a free one, which is kept.
func (p *Plane) Listen() (*net.TCPListener, error) {
	kept, err := os.ReadFile(p.file(portFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p.listenAnywhere()
	}
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(kept)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.file(portFile), err)
	}
	l, err := listen(port)
	if err != nil {
		return nil, fmt.Errorf("%w (is %s running already?)", err, p.Name)
	}
	return l, nil
}

func (p *Plane) listenAnywhere() (*net.TCPListener, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		var l *net.TCPListener
		if l, err = listen(port); err == nil {
			return l, writeFile(p.file(portFile), fmt.Appendln(nil, port))
		}
	}
	return nil, err
}

func listen(port int) (*net.TCPListener, error) {
	return net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
}

func (p *Plane) file(name string) string {
	return filepath.Join(p.Dir, name)
}

// writeFile replaces a file in one step, readable by its owner only: whoever finds the file finds all of it.
func writeFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
