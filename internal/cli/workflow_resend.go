package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// operators run a tenant's activations.
var operators = callers{names: "OPERATOR", token: func(s *sandbox) string { return s.OperatorToken }}

func (a *app) workflowResendEmailCommand() *cobra.Command {
	request := &dialtonev1.ResendActivationEmailRequest{}
	command := &cobra.Command{
		Use:   "resend-email ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Send the customer the Mobile Activation e-mail once more, with the same code",
		Long: `Send the Mobile Activation e-mail once more, as it was, with the same code: to the address
on file, or with --to to another one, for this e-mail only. Whoever has the e-mail has the
line, so with --to say how the customer was authenticated.

A code works once. Where a phone has fetched the eSIM already, or could not install it, this
is refused, and replace-profile is what helps. Where the SM-DP+ does not say, it is sent, and
the answer says so.

` + lookupHelp,
		Example: `  dialtone workflow resend-email sub-1001 --reason "deleted by mistake"
  dialtone workflow resend-email sub-1001 --to ann@work.example --reason "mailbox full" \
      --authentication "called back on the number in the account"`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	flags := command.Flags()
	flags.StringVar(&request.Email, "to", "", "another address than the one on file, for this e-mail only")
	addAuthentication(command, &request.Authentication, "--to")
	addReason(command, &request.Reason, "why, in your own words, for the audit")
	addRevision(command, &request.Revision)
	requestID := a.newRequest(command)
	command.RunE = a.act(operators, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{
			"reason": "--reason", "revision": "--revision", "request_id": "--request-id", "email": "--to",
			"authentication": "--authentication",
		}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		request.RequestId, request.ActivationId = requestID(true), found.GetWorkflow().GetActivationId()
		response, err := dialtonev1.NewWorkflowServiceClient(a.connection).ResendActivationEmail(ctx, request)
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.resent(response) }); err != nil {
			return err
		}
		a.advise(resendSteps(response)...)
		return nil
	})
	return command
}

// addAuthentication adds how the customer was authenticated, which the server wants with
// another flag.
func addAuthentication(command *cobra.Command, authentication *string, with string) {
	command.Flags().StringVar(authentication, "authentication", "", "how the customer was authenticated, in words, for the audit; required with "+with)
}

// addRevision adds what a command was decided on.
func addRevision(command *cobra.Command, revision *int64) {
	command.Flags().Int64Var(revision, "revision", 0, "refuse if it has moved on since this revision, which show tells")
}

// resent tells what goes out, and where to.
func (p *page) resent(response *dialtonev1.ResendActivationEmailResponse) {
	notice := response.GetNotice()
	p.linef("Accepted: the Mobile Activation e-mail goes out again, to %s.", notice.GetMaskedAddress())
	p.facts(
		fact{name: "Activation", value: response.GetWorkflow().GetActivationId()},
		fact{name: "E-mail", value: join(", ", word(notice.GetDelivery()), p.when(notice.GetTime())), tone: noticeTone(notice.GetDelivery())},
		fact{name: "On the phone", value: word(response.GetInstallState())},
	)
	if response.GetInstallState() == dialtonev1.InstallState_INSTALL_STATE_UNKNOWN {
		p.linef("")
		p.linef("The SM-DP+ does not say whether the code was used. Tell the customer that another eSIM comes next if it does not work.")
	}
}

// resendSteps say what to do next.
func resendSteps(response *dialtonev1.ResendActivationEmailResponse) []string {
	id := response.GetWorkflow().GetActivationId()
	steps := []string{"see whether it arrives: dialtone workflow show " + id}
	if response.GetInstallState() == dialtonev1.InstallState_INSTALL_STATE_UNKNOWN {
		steps = append(steps, "if the code does not work: dialtone workflow replace-profile "+id+" --reason WHY --authentication HOW")
	}
	return steps
}
