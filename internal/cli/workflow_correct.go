package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) workflowCorrectCommand() *cobra.Command {
	request := &dialtonev1.CorrectContactRequest{}
	command := &cobra.Command{
		Use:   "correct ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Correct the name or the address that an activation uses",
		Long: `Correct the customer's name or e-mail address, for what this activation still sends and says;
the account stays as it is. E-mails that were sent are not sent again: resend-email does that.
Whoever has the e-mail has the line, so with --email say how the customer was authenticated.

` + lookupHelp,
		Example: `  dialtone workflow correct sub-1001 --name "Ann Lee" --reason "a typing error"
  dialtone workflow correct sub-1001 --email ann@example.com --reason "the old one bounced" \
      --authentication "called back on the number in the account"`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	flags := command.Flags()
	flags.StringVar(&request.Name, "name", "", "the name from now on")
	flags.StringVar(&request.Email, "email", "", "the address from now on")
	command.MarkFlagsOneRequired("name", "email")
	addAuthentication(command, &request.Authentication, "--email")
	addReason(command, &request.Reason, "why, in your own words, for the audit")
	addRevision(command, &request.Revision)
	requestID := a.newRequest(command)
	command.RunE = a.act(operators, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{
			"reason": "--reason", "revision": "--revision", "request_id": "--request-id", "name": "--name", "email": "--email",
			"authentication": "--authentication",
		}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		request.RequestId, request.ActivationId = requestID(true), found.GetWorkflow().GetActivationId()
		response, err := dialtonev1.NewWorkflowServiceClient(a.connection).CorrectContact(ctx, request)
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.corrected(response.GetWorkflow()) }); err != nil {
			return err
		}
		if request.GetEmail() != "" {
			a.advise("send the e-mail there, if it was sent before: dialtone workflow resend-email " + request.GetActivationId() + " --reason WHY")
		}
		return nil
	})
	return command
}

// corrected tells what an activation uses now.
func (p *page) corrected(w *dialtonev1.Workflow) {
	p.linef("Corrected: activation %s uses this from now on.", w.GetActivationId())
	p.facts(fact{name: "Customer", value: customer(w.GetLaunch())})
}
