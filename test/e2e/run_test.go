package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// run runs a program that has to succeed, and returns what it printed.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	return runWith(t, "", program, args...)
}

// runWith is run with something to read.
func runWith(t *testing.T, stdin, program string, args ...string) string {
	t.Helper()
	output, err := tryWith(stdin, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v", program, strings.Join(args, " "), err)
	}
	return output
}

// try runs a program, and returns what it printed, and an error with all of that if it failed.
func try(program string, args ...string) (string, error) { return tryWith("", program, args...) }

func tryWith(stdin, program string, args ...string) (string, error) {
	command := exec.Command(program, args...)
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w\n%s%s", err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// fails runs a program that has to fail with that exit code and print each of the texts.
func fails(t *testing.T, code int, says []string, program string, args ...string) {
	t.Helper()
	_, err := try(program, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Errorf("%s %s: %v, want exit code %d", program, strings.Join(args, " "), err, code)
		return
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s %s does not say %q:\n%v", program, strings.Join(args, " "), text, err)
		}
	}
}

// eventually waits until look finds no fault, and shows the last fault where it goes on finding one.
func eventually(t *testing.T, what string, look func() error) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for {
		err := look()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%s: not in %s: %v", what, patience, err)
		}
	}
}

// shows waits until kubectl prints text, which is trimmed.
func (c *cluster) shows(t *testing.T, text string, args ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("kubectl %s in %s prints %q", strings.Join(args, " "), c.name, text), func() error {
		output, err := c.try(args...)
		if err != nil {
			return err
		}
		if strings.TrimSpace(output) != text {
			return fmt.Errorf("it prints %q", output)
		}
		return nil
	})
}

// mentions waits until kubectl prints something that contains text.
func (c *cluster) mentions(t *testing.T, text string, args ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("kubectl %s in %s mentions %q", strings.Join(args, " "), c.name, text), func() error {
		output, err := c.try(args...)
		if err != nil {
			return err
		}
		if !strings.Contains(output, text) {
			return fmt.Errorf("it prints %q", output)
		}
		return nil
	})
}
