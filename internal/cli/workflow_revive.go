package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) workflowReviveCommand() *cobra.Command {
	request := &dialtonev1.ReviveWorkflowRequest{}
	command := &cobra.Command{
		Use:   "revive ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Start the run of an activation again that was lost, or cannot go on",
		Long: `Look after the run of an open activation now, rather than at the next hourly look. One that
is lost (terminated, failed, timed out or deleted in Temporal) is started again; one that is
there is left alone. The new run does nothing before an operator has said whether to go on
or to give back what was taken: what the lost one did last is not known.

With --replace-run, one that is there is ended first. That is for a run that cannot go on
because of a bug of ours, which a newer version has mended; an activation that waits for
somebody, or whose partner is down, is not helped by it.

` + lookupHelp,
		Example: `  dialtone workflow revive sub-1001 --reason "terminated by mistake in the Temporal UI"
  dialtone workflow revive sub-1001 --reason "stuck by the bug of 1.4.2" --revision 7 --replace-run`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	addReason(command, &request.Reason, "why, in your own words, for the audit")
	addRevision(command, &request.Revision)
	command.Flags().BoolVar(&request.ReplaceRun, "replace-run", false, "end a run that is there first")
	requestID := a.newRequest(command)
	command.RunE = a.act(operators, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{"reason": "--reason", "revision": "--revision", "request_id": "--request-id"}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		request.RequestId, request.ActivationId = requestID(true), found.GetWorkflow().GetActivationId()
		response, err := dialtonev1.NewAdminServiceClient(a.connection).ReviveWorkflow(ctx, request)
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.revived(response, request.GetReplaceRun()) }); err != nil {
			return err
		}
		a.advise(reviveSteps(response)...)
		return nil
	})
	return command
}

// revived tells what was found, and what comes of it.
func (p *page) revived(response *dialtonev1.ReviveWorkflowResponse, replace bool) {
	w := response.GetWorkflow()
	switch {
	case response.GetAlreadyRunning():
		p.linef("Activation %s has a run, and it was left alone.", w.GetActivationId())
	case replace:
		p.linef("Accepted: the run of activation %s is ended, and another is started.", w.GetActivationId())
		p.linef("That one asks an operator before it does anything.")
	default:
		p.linef("Accepted: activation %s gets another run, unless it has one.", w.GetActivationId())
		p.linef("That one asks an operator before it does anything.")
	}
	p.linef("Now: %s%s.", word(w.GetState()), p.forAge(w.GetSince()))
}

// reviveSteps say what to do next.
func reviveSteps(response *dialtonev1.ReviveWorkflowResponse) []string {
	id := response.GetWorkflow().GetActivationId()
	if response.GetAlreadyRunning() {
		return []string{
			"see what it waits for: dialtone workflow show " + id,
			"if a bug of ours keeps it, and that is mended: dialtone workflow revive " + id + " --reason WHY --replace-run",
		}
	}
	return []string{"see what it asks: dialtone workflow watch " + id}
}
