package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) workflowWatchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Follow an activation until its end",
		Long: `Follow an activation until its end. On a terminal the steps are redrawn in place; in a
pipe each change is a line. Ctrl-C lets go, and the work goes on. A lost connection is
made again.

It ends with 0 if the activation SUCCEEDED, and with 1 if it ended otherwise.

` + lookupHelp,
		Example: `  dialtone workflow watch sub-1001
  dialtone workflow watch sub-1001 --timeout 10m
  dialtone workflow watch sub-1001 --output json | jq -r .workflow.state`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
		RunE: a.act(staff, func(ctx context.Context, args []string) error {
			found, err := a.getWorkflow(ctx, newLookup(args[0]))
			if err != nil {
				return err
			}
			return a.watch(ctx, lookup{name: found.GetWorkflow().GetActivationId(), kind: byActivation}, nil)
		}),
	}
}

// view shows an activation as it changes.
type view interface {
	// show is given each message, the last one too.
	show(*dialtonev1.WatchWorkflowResponse) error
	// say is given what there is to know about the connection; empty when all is well.
	say(string)
	// tick is called about every second.
	tick() error
	// leave is called at the end.
	leave() error
}

// heard is what a watch hears: a message, words about the connection, or its end.
type heard struct {
	message *dialtonev1.WatchWorkflowResponse
	words   string
	over    bool
	err     error
}

// watch shows an activation until its end, and says by the error how it ended. seen is what
// was shown already.
func (a *app) watch(ctx context.Context, l lookup, seen *dialtonev1.Workflow) error {
	// What listens must not outlive the watch, nor wait for it to hear.
	listening, stop := context.WithCancel(ctx)
	defer stop()
	news := make(chan heard)
	go a.listen(listening, l, news)

	v := a.newView(seen)
	last, err := a.display(listening, news, v)
	if left := v.leave(); err == nil {
		err = left
	}
	switch {
	case last.GetEndTime() != nil:
		return ended(last)
	case ctx.Err() != nil:
		return letGo(ctx, "activation "+l.name+" goes on", "dialtone workflow watch "+l.name)
	}
	return err
}

// listen opens the stream again until the activation has ended, and tells all it hears.
func (a *app) listen(ctx context.Context, l lookup, news chan<- heard) {
	tell := func(h heard) {
		select {
		case news <- h:
		case <-ctx.Done():
		}
	}
	client := dialtonev1.NewWorkflowServiceClient(a.connection)
	err := a.keep(ctx, stream{
		known: true,
		say:   func(words string) { tell(heard{words: words}) },
		open: func(ctx context.Context, alive func()) error {
			watching, err := client.WatchWorkflow(ctx, &dialtonev1.WatchWorkflowRequest{
				Lookup: &dialtonev1.WatchWorkflowRequest_ActivationId{ActivationId: l.name},
			})
			for err == nil {
				var message *dialtonev1.WatchWorkflowResponse
				if message, err = watching.Recv(); err != nil {
					break
				}
				alive()
				tell(heard{message: message})
				if message.GetWorkflow().GetEndTime() != nil {
					return nil
				}
			}
			return err
		},
	})
	tell(heard{over: true, err: err})
}

// display shows what is heard until the last word, and gives the last message's workflow.
func (a *app) display(ctx context.Context, news <-chan heard, v view) (*dialtonev1.Workflow, error) {
	ticks, stop := a.env.Every(time.Second)
	defer stop()
	var last *dialtonev1.Workflow
	for {
		var err error
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-ticks:
			err = v.tick()
		case h := <-news:
			switch {
			case h.over:
				return last, h.err
			case h.message != nil:
				last = h.message.GetWorkflow()
				err = v.show(h.message)
			default:
				v.say(h.words)
			}
		}
		if err != nil {
			return last, err
		}
	}
}

// ended says how an activation ended; nil when well.
func ended(w *dialtonev1.Workflow) error {
	if w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED {
		return nil
	}
	return &exitError{
		code: exitFailed,
		text: join(": ", "the activation ended as "+word(w.GetState()), w.GetReason(), w.GetReasonMessage()),
		next: []string{"dialtone workflow show " + w.GetActivationId()},
	}
}
