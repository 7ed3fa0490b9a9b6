// Command histories records one history of each path of an activation into
// workflows/testdata, where the replay test finds it. It plays the paths on a sandbox of its
// own, with its own data: nothing real is in a recorded history.
//
// A file that exists is left as it is, because it is what an older version wrote. Give a
// changed path a new name.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"

	"github.com/dialtone/dialtone/internal/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Environ(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "histories:", err)
		os.Exit(1)
	}
}

// testdata is where histories are kept, seen from the module's root.
const testdata = "workflows/testdata"

// policies are short, so that a path on which an operator is asked, or a customer does not answer,
// takes seconds.
const policies = `{"patience":"3s","retry_max":"1s","line_poll":"1s","evidence":"3s",
	"port":{"always":true,"prompt_life":"10s","reminders":["5s"]}}`

func run(ctx context.Context, environ []string, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "dialtone-histories-")
	if err != nil {
		return fmt.Errorf("make a directory for the sandbox: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres runs as somebody else when we are root
		return fmt.Errorf("open the sandbox's directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	box, err := sandbox.Start(ctx, sandbox.Config{Dir: dir, Environ: environ, Out: out, Policies: policies})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Stop()) }()
	r, err := newRecorder(box)
	if err != nil {
		return err
	}
	defer r.close()
	for _, p := range slices.Concat(paths(), decided(), ports()) {
		file := filepath.Join(testdata, p.name+".json")
		if _, err := os.Stat(file); err == nil {
			fmt.Fprintf(out, "%s is kept\n", file)
			continue
		}
		if err := r.record(ctx, p, file); err != nil {
			return fmt.Errorf("record %s: %w", p.name, err)
		}
		fmt.Fprintf(out, "%s is new\n", file)
	}
	return nil
}

// recorder plays paths and writes what Temporal remembers of them.
type recorder struct {
	addresses sandbox.Addresses
	// connection is billing's, operator an operator's, portal the provider's portal's.
	connection *grpc.ClientConn
	operator   *grpc.ClientConn
	portal     *grpc.ClientConn
	temporal   client.Client
}

func newRecorder(box *sandbox.Sandbox) (*recorder, error) {
	connection, err := box.Connect()
	if err != nil {
		return nil, err
	}
	addresses := box.Addresses()
	operator, err := sandbox.Dial(addresses.GRPC, addresses.OperatorToken)
	if err != nil {
		return nil, err
	}
	portal, err := sandbox.Dial(addresses.GRPC, addresses.PortalBackendToken)
	if err != nil {
		return nil, err
	}
	temporal, err := client.Dial(client.Options{HostPort: addresses.TemporalAddress})
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal: %w", err)
	}
	return &recorder{addresses: addresses, connection: connection, operator: operator, portal: portal, temporal: temporal}, nil
}

func (r *recorder) close() {
	r.temporal.Close()
	_ = r.portal.Close()
	_ = r.operator.Close()
	_ = r.connection.Close()
}
