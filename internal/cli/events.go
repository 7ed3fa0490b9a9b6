package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// tailLength is how many of the last events are shown when nothing says where to begin.
const tailLength = 20

func (a *app) eventsCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "events",
		Short: "Read the feed of what happened",
		Example: `  dialtone events tail --follow
  dialtone events tail --type 'port.*'`,
		RunE: a.group,
	}
	group.AddCommand(a.eventsTailCommand())
	return group
}

// feed is which part of the feed is wanted.
type feed struct {
	after        int64
	follow       bool
	types        []string
	activation   string
	subscription string
}

func (f *feed) add(flags *pflag.FlagSet) {
	flags.Int64Var(&f.after, "after", 0, "only events after this sequence; 0 is from the beginning (default the last 20)")
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on as it grows, until Ctrl-C")
	flags.StringSliceVar(&f.types, "type", nil, "only of these types; 'port.*' is all that begin so")
	flags.StringVar(&f.activation, "activation", "", "only about this activation")
	flags.StringVar(&f.subscription, "subscription", "", "only about this subscription")
	// 0 has a meaning of its own, so it must not stand there as the default.
	flags.Lookup("after").DefValue = "0"
}

func (a *app) eventsTailCommand() *cobra.Command {
	f := &feed{}
	command := &cobra.Command{
		Use:   "tail",
		Short: "The last events, and with --follow those to come",
		Long: `The last events of the tenant, and with --follow those to come. Without --follow it ends
when there are no more, wherever the output goes.

JSON has one object a line, {"event": …, "next_after": …}, with --follow and without.
Keep next_after once the event is dealt with, and begin there the next time.`,
		Example: `  dialtone events tail --follow
  dialtone events tail --after 0 --type subscription.activated --output json
  dialtone events tail --follow --type 'port.*,item.*' --subscription sub-1001`,
		Args: arguments(),
	}
	f.add(command.Flags())
	command.RunE = a.act(staff, func(ctx context.Context, _ []string) error {
		a.fields = map[string]string{"after": "--after", "types": "--type", "activation_id": "--activation", "subscription_id": "--subscription"}
		if !command.Flags().Changed("after") {
			begin, err := a.nearEnd(ctx)
			if err != nil {
				return err
			}
			f.after = begin
		}
		if f.follow {
			return a.follow(ctx, f)
		}
		return a.readOn(ctx, f)
	})
	return command
}

// nearEnd is a little before the end of the feed. Sequences have gaps, so it may be fewer
// events than asked for.
func (a *app) nearEnd(ctx context.Context) (int64, error) {
	response, err := dialtonev1.NewEventServiceClient(a.connection).ListEvents(ctx, &dialtonev1.ListEventsRequest{PageSize: 1})
	if err != nil {
		return 0, err
	}
	return max(0, response.GetLatestSequence()-tailLength), nil
}

// readOn prints what there is.
func (a *app) readOn(ctx context.Context, f *feed) error {
	client := dialtonev1.NewEventServiceClient(a.connection)
	for {
		response, err := client.ListEvents(ctx, &dialtonev1.ListEventsRequest{
			After:          f.after,
			PageSize:       200,
			Types:          f.types,
			ActivationId:   f.activation,
			SubscriptionId: f.subscription,
		})
		if err != nil {
			return err
		}
		for _, event := range response.GetEvents() {
			if err := a.printEvent(&dialtonev1.WatchEventsResponse{Event: event, NextAfter: event.GetSequence()}); err != nil {
				return err
			}
		}
		// Whatever a server says of more: without progress there is none.
		more := response.GetMore() && response.GetNextAfter() > f.after
		f.after = response.GetNextAfter()
		if !more {
			a.say("to go on from here: --after %d", f.after)
			return nil
		}
	}
}

// follow prints what there is and what comes.
func (a *app) follow(ctx context.Context, f *feed) error {
	client := dialtonev1.NewEventServiceClient(a.connection)
	err := a.keep(ctx, stream{
		say: func(words string) { sayConnection(a, words) },
		open: func(ctx context.Context, alive func()) error {
			watching, err := client.WatchEvents(ctx, &dialtonev1.WatchEventsRequest{
				After:          f.after,
				Types:          f.types,
				ActivationId:   f.activation,
				SubscriptionId: f.subscription,
			})
			for err == nil {
				var message *dialtonev1.WatchEventsResponse
				if message, err = watching.Recv(); err != nil {
					break
				}
				alive()
				if message.GetEvent() != nil {
					err = a.printEvent(message)
				}
				f.after = max(f.after, message.GetNextAfter())
			}
			return err
		},
	})
	if ctx.Err() != nil {
		return a.letGoOfFeed(ctx, f)
	}
	return err
}
