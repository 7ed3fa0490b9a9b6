package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/dialtone/dialtone/workflows"
)

const (
	// retention is how long Temporal keeps what has ended: operators look back over a whole
	// port. A namespace that is there keeps its own.
	retention = 30 * 24 * time.Hour
	// patience is for Temporal to come up, and for its parts to see what was made.
	patience   = time.Minute
	retryPause = 200 * time.Millisecond
	callMax    = 10 * time.Second
)

// namespace is the one that TEMPORAL_NAMESPACE names.
type namespace struct {
	name    string
	address string
	engine  client.Client
}

// prepareTemporal makes the namespace and what it lacks of the search attributes, and returns
// when both answer.
func prepareTemporal(ctx context.Context, logger *slog.Logger, out io.Writer) error {
	options, err := workflows.Options(logger)
	if err != nil {
		return err
	}
	engine, err := client.NewLazyClient(options)
	if err != nil {
		return fmt.Errorf("prepare Temporal's client: %w", err)
	}
	defer engine.Close()
	n := namespace{name: options.Namespace, address: options.HostPort, engine: engine}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, part := range []func(context.Context, io.Writer) error{n.make, n.addAttributes, n.await} {
		if err := part(ctx, out); err != nil {
			return fmt.Errorf("prepare the namespace %s of Temporal at %s: %w", n.name, n.address, err)
		}
	}
	return nil
}

// make registers the namespace if it is not there.
func (n namespace) make(ctx context.Context, out io.Writer) error {
	service := n.engine.WorkflowService()
	var found *workflowservice.DescribeNamespaceResponse
	err := insist(ctx, func(ctx context.Context) (err error) {
		found, err = service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: n.name})
		if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); missing {
			_, err = service.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
				Namespace: n.name, Description: "Phone lines on their way on the air (Dialtone)",
				WorkflowExecutionRetentionPeriod: durationpb.New(retention),
			})
		}
		return err
	})
	if _, denied := errors.AsType[*serviceerror.PermissionDenied](err); denied {
		return fmt.Errorf("it is not there, or not ours to look after; make it in Temporal's own console and set MIGRATE_TEMPORAL=false: %w", err)
	}
	kept := found.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	switch {
	case err != nil:
		return err
	case found == nil:
		fmt.Fprintf(out, "temporal: made the namespace %s, which keeps what has ended for %d days\n", n.name, days(retention))
	case kept < retention:
		fmt.Fprintf(out, "temporal: the namespace %s is there; it keeps what has ended for %d days only, %d would be better\n", n.name, days(kept), days(retention))
	default:
		fmt.Fprintf(out, "temporal: the namespace %s is there\n", n.name)
	}
	return nil
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// addAttributes adds those search attributes that are missing.
func (n namespace) addAttributes(ctx context.Context, out io.Writer) error {
	added := 0
	err := insist(ctx, func(ctx context.Context) error {
		has, err := n.engine.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: n.name})
		if err != nil {
			return err
		}
		missing, err := missingAttributes(workflows.SearchAttributes(), has.GetCustomAttributes())
		if err != nil || len(missing) == 0 {
			return err
		}
		_, err = n.engine.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: n.name, SearchAttributes: missing,
		})
		if err != nil {
			return noRoom(err, missing, has.GetCustomAttributes())
		}
		added = len(missing)
		return nil
	})
	if err != nil {
		return fmt.Errorf("add search attributes: %w", err)
	}
	fmt.Fprintf(out, "temporal: %d search attributes, %d of them new\n", len(workflows.SearchAttributes()), added)
	return nil
}

// missingAttributes tells what is not there yet. It refuses those that are there as something
// else, all at once.
func missingAttributes(want, has map[string]enumspb.IndexedValueType) (map[string]enumspb.IndexedValueType, error) {
	missing := make(map[string]enumspb.IndexedValueType)
	var other []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch is, found := has[name]; {
		case !found:
			missing[name] = want[name]
		case is != want[name]:
			other = append(other, fmt.Sprintf("%s is %s and must be %s", name, is, want[name]))
		}
	}
	if len(other) > 0 {
		return nil, errors.New(strings.Join(other, ", ") +
			"; remove it there (temporal operator search-attribute remove), or give Dialtone a namespace of its own")
	}
	return missing, nil
}

// noRoom adds to a refusal what stands in the way: a namespace on SQL has ten places for
// keywords and three for times.
func noRoom(err error, missing, has map[string]enumspb.IndexedValueType) error {
	if _, invalid := errors.AsType[*serviceerror.InvalidArgument](err); !invalid {
		return err
	}
	return fmt.Errorf("%w (to be added: %s; there already: %s); remove what nobody uses, or give Dialtone a namespace of its own",
		err, list(missing), list(has))
}

func list(attributes map[string]enumspb.IndexedValueType) string {
	if len(attributes) == 0 {
		return "none"
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		texts = append(texts, name+" "+attributes[name].String())
	}
	return strings.Join(texts, ", ")
}

// await returns when a query may name every attribute: until then a start would be refused.
func (n namespace) await(ctx context.Context, out io.Writer) error {
	var terms []string
	for _, name := range slices.Sorted(maps.Keys(workflows.SearchAttributes())) {
		terms = append(terms, name+" IS NULL")
	}
	err := insist(ctx, func(ctx context.Context) error {
		_, err := n.engine.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: n.name, Query: strings.Join(terms, " AND "),
		})
		if _, invalid := errors.AsType[*serviceerror.InvalidArgument](err); invalid {
			return &notYetError{err}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("wait until it can be used: %w", err)
	}
	fmt.Fprintln(out, "temporal: ready")
	return nil
}

// notYetError marks what is wrong now and comes right by itself.
type notYetError struct{ cause error }

func (e *notYetError) Error() string { return e.cause.Error() }
func (e *notYetError) Unwrap() error { return e.cause }

// insist does what again while the engine is not up, or does not know yet what was made.
func insist(ctx context.Context, what func(context.Context) error) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, callMax)
		err := what(attempt)
		cancel()
		if err == nil || !passes(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up after %s: %w", patience, err)
		case <-time.After(retryPause):
		}
	}
}

// passes tells whether an error may pass by itself. That a namespace is there already means
// that another made it meanwhile.
func passes(err error) bool {
	for _, passing := range []func(error) bool{
		is[*serviceerror.Unavailable], is[*serviceerror.DeadlineExceeded], is[*serviceerror.ResourceExhausted],
		is[*serviceerror.NamespaceNotFound], is[*serviceerror.NotFound], is[*serviceerror.NamespaceAlreadyExists], is[*notYetError],
	} {
		if passing(err) {
			return true
		}
	}
	return errors.Is(err, context.DeadlineExceeded)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
