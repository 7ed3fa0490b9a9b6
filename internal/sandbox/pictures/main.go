// Command pictures draws an activation that waits for an operator, as the Temporal UI shows
// it, for the documents:
//
//	go run ./internal/sandbox/pictures [-documents deploy/pictures]
//
// It plays the activation on a sandbox of its own, on which the carrier is down.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/browsertest"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// limit bounds all but the start of the sandbox: a browser that hangs must not.
const limit = 2 * time.Minute

// policies make the wait for the operator short.
const policies = `{"patience":"20s","retry_max":"5s"}`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("pictures", flag.ContinueOnError)
	folder := flags.String("documents", filepath.Join("deploy", "pictures"), "the folder for the picture")
	if err := flags.Parse(args); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "dialtone-pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := os.Chmod(work, 0o755); err != nil { // Postgres runs as somebody else when we are root
		return err
	}
	box, err := sandbox.Start(ctx, sandbox.Config{
		Dir: filepath.Join(work, "sandbox"), Environ: os.Environ(), Out: out, Policies: policies,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Stop()) }()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	waiting, err := play(ctx, box)
	if err != nil {
		return err
	}
	browser, err := browsertest.Start(ctx, filepath.Join(work, "profile"))
	if err != nil {
		return err
	}
	defer browser.Close()
	picture, err := album(browser, strings.TrimSuffix(waiting.GetTemporalUrl(), "/history"))
	if err != nil {
		return err
	}
	file := filepath.Join(*folder, "temporal.png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, file)
	return err
}

// play launches an activation while the carrier is down, and waits until an operator is asked.
func play(ctx context.Context, box *sandbox.Sandbox) (*dialtonev1.Workflow, error) {
	if err := breakCarrier(ctx, box.Addresses().CarrierURL); err != nil {
		return nil, err
	}
	connection, err := box.Connect()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	launched, err := sandbox.Launch(ctx, connection, sandbox.Customer{Name: "Ada Okafor", Email: "ada@customer.example"})
	if err != nil {
		return nil, err
	}
	return sandbox.Follow(ctx, connection, launched.GetActivationId(), func(w *dialtonev1.Workflow) bool {
		return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_OPERATOR
	})
}
