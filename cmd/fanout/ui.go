package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/utils/clock"

	"fanout/pkg/api/pods"
	"fanout/pkg/api/statuses"
	"fanout/pkg/page"
)

func newUICommand() *cobra.Command {
	hub, port, noBrowser := newHubFlags(), 8082, false
	command := &cobra.Command{
		Use:   "ui",
		Short: "Show the page: every check on every agent, live",
		Long: `Show the page in a browser: every Canary on every agent, live. It is served on this machine's loopback address until Ctrl-C.

It is the controller's own page, through the hub, with your own rights: to list pods in --cluster-namespace, and to forward to them (create on
pods/portforward). Where no controller can be asked, it shows what the parents' statuses and the Secrets say, and says so.

Whoever can connect to this machine's loopback address sees what you see.`,
		Example: `  fanout ui
  fanout ui --context hub --port 0 --no-browser     # on any free port`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if port < 0 || port > 65535 {
				return &usageError{command: command.CommandPath(), err: fmt.Errorf("--port %d: must be 0 to 65535", port)}
			}
			pages, done, err := findPages(command.Context(), hub, command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer done()
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				return fmt.Errorf("listen on --port: %w; take another one, or 0 for any that is free", err)
			}
			served := serve(listener, pages)
			address := fmt.Sprintf("http://localhost:%d/", listener.Addr().(*net.TCPAddr).Port)
			fmt.Fprintf(command.OutOrStdout(), "The page is at %s until Ctrl-C.\n", address)
			if !noBrowser && term.IsTerminal(int(os.Stdout.Fd())) {
				openBrowser(address)
			}
			<-command.Context().Done()
			done()
			served.stop()
			return nil
		},
	}
	hub.addTo(command.Flags())
	command.Flags().IntVar(&port, "port", port, "Port of this machine to serve the page on. 0 is any free one.")
	command.Flags().BoolVar(&noBrowser, "no-browser", false, "Do not open a browser. Without a terminal none is opened anyway.")
	return command
}

// findPages returns the controller's pages, or such as are made here where none can be asked. done ends what it began, also twice.
func findPages(ctx context.Context, hub *hubFlags, errOut io.Writer) (pages http.Handler, done func(), err error) {
	config, err := hub.config()
	if err != nil {
		return nil, nil, err
	}
	controllers, err := pods.Open(ctx, config, hub.clusterNamespace)
	if err == nil {
		var leader *pods.Leader
		if leader, err = controllers.Lead(ctx); err == nil {
			return passOn(leader), onceOf(controllers.Close), nil
		}
	}
	if controllers != nil {
		controllers.Close()
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	fmt.Fprintf(errOut, "fanout: the controller could not be asked (%v), so this is what the statuses in the hub say.\n", err)
	fallen, err := statuses.Open(config, hub.clusterNamespace)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the hub: %w", err)
	}
	made := page.New(statuses.NewRecent(fallen), clock.RealClock{})
	return made, onceOf(made.Close, fallen.Close), nil
}

// passOn returns the pages that a controller serves.
func passOn(leader *pods.Leader) http.Handler {
	to := &url.URL{Scheme: "http", Host: "localhost"}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)               // which asks for it by that name, too
			r.Out.Header.Del("Cookie") // those of other ports of this machine
			r.Out.Header.Del("Authorization")
		},
		Transport:     leader,
		FlushInterval: -1, // what is live is passed on at once
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if !errors.Is(err, context.Canceled) {
				http.Error(w, "the controller can't be asked: "+err.Error(), http.StatusServiceUnavailable)
			}
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !page.OfThisHost(r.Host) {
			http.Error(w, "ask for this page by the name localhost", http.StatusMisdirectedRequest)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// openBrowser asks the system for its browser. Where there is none, the address has been said.
func openBrowser(address string) {
	command := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	started := exec.Command(command[0], append(command[1:], address)...)
	if started.Start() == nil {
		go func() { _ = started.Wait() }()
	}
}

// onceOf returns what does all of these, once.
func onceOf(all ...func()) func() {
	called := false
	return func() {
		if called {
			return
		}
		called = true
		for _, each := range all {
			each()
		}
	}
}
