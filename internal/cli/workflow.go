package cli

import (
	"context"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) workflowCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "workflow",
		Short: "See where activations are, decide what waits, and stop one",
		Example: `  dialtone workflow list --needs-operator
  dialtone workflow show sub-1001
  dialtone workflow resolve sub-1001
  dialtone workflow watch sub-1001`,
		RunE: a.group,
	}
	group.AddCommand(a.workflowShowCommand(), a.workflowListCommand(), a.workflowWatchCommand(), a.workflowCancelCommand(),
		a.workflowResolveCommand(), a.workflowResendEmailCommand(), a.workflowReplaceCommand(), a.workflowCorrectCommand(),
		a.workflowReviveCommand())
	return group
}

func (a *app) workflowShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Where an activation is, since when, what comes next, and who must act",
		Long:  "Where an activation is, since when, what comes next and by when, and who must act.\n\n" + lookupHelp,
		Example: `  dialtone workflow show sub-1001
  dialtone workflow show 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --output json`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
		RunE: a.act(staff, func(ctx context.Context, args []string) error {
			response, err := a.getWorkflow(ctx, newLookup(args[0]))
			if err != nil {
				return err
			}
			return a.answer(response, func(p *page) { p.workflow(response.GetWorkflow()) })
		}),
	}
}

func (a *app) workflowCancelCommand() *cobra.Command {
	var reason string
	var revision int64
	command := &cobra.Command{
		Use:   "cancel ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Stop an activation and give back what it took",
		Long: `Stop an activation: what was taken from partners is given back, then it ends CANCELLED,
and the subscription stays pending. A line that is live is never taken down this way.

` + lookupHelp,
		Example: `  dialtone workflow cancel sub-1001 --reason "the customer changed her mind"
  dialtone workflow cancel sub-1001 --reason "wrong phone" --revision 7`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	addReason(command, &reason, "why, in your own words, for the audit")
	command.Flags().Int64Var(&revision, "revision", 0, "refuse if it has moved on since this revision, which show tells")
	requestID := a.newRequest(command)
	command.RunE = a.act(staff, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{"reason": "--reason", "revision": "--revision", "request_id": "--request-id"}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		response, err := dialtonev1.NewWorkflowServiceClient(a.connection).CancelWorkflow(ctx, &dialtonev1.CancelWorkflowRequest{
			RequestId:    requestID(true),
			ActivationId: found.GetWorkflow().GetActivationId(),
			Revision:     revision,
			Reason:       reason,
		})
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.cancelled(response.GetWorkflow()) }); err != nil {
			return err
		}
		a.advise("see its end: dialtone workflow watch " + response.GetWorkflow().GetActivationId())
		return nil
	})
	return command
}

// cancelled tells what became of a wish to stop.
func (p *page) cancelled(w *dialtonev1.Workflow) {
	switch {
	case w.GetCancel().GetTooLate():
		p.linef("Too late: the number of activation %s has moved, and nothing is taken down.", w.GetActivationId())
	case w.GetEndTime() != nil:
		p.linef("Activation %s has ended: %s.", w.GetActivationId(), word(w.GetState()))
	default:
		p.linef("Accepted: activation %s is to stop, and what it took is given back.", w.GetActivationId())
		p.linef("Now: %s%s.", word(w.GetState()), p.forAge(w.GetSince()))
	}
}

// forAge says how long something has been so, if it is not new.
func (p *page) forAge(since *timestamppb.Timestamp) string {
	age := p.age(since)
	if age == "" || age == "0s" {
		return ""
	}
	return " for " + age
}
