package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) workflowReplaceCommand() *cobra.Command {
	request := &dialtonev1.ReplaceProfileRequest{}
	command := &cobra.Command{
		Use:   "replace-profile ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Give the customer another eSIM on the same line and number",
		Long: `Give the customer another eSIM, on the same line and number, for one that is lost or cannot be
installed: another is reserved, the line is moved to it, a new Mobile Activation e-mail goes to
the address on file, and the old one is retired. Until the line has moved, the old one works.

This is a SIM change, the way in which numbers are stolen. Authenticate the customer first, and
say with --authentication how. Where the address on file may not be the customer's any more,
correct it first.

` + lookupHelp,
		Example: `  dialtone workflow replace-profile sub-1001 --reason "the eSIM was deleted from the phone" \
      --authentication "called back on the number in the account, PIN given"
  dialtone workflow replace-profile sub-1001 --imei 356938035643809 --reason "a new phone" \
      --authentication "in the shop, passport seen"`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	flags := command.Flags()
	flags.StringVar(&request.Imei, "imei", "", "the IMEI of the new phone, if it is another")
	flags.StringVar(&request.Authentication, "authentication", "", "how the customer was authenticated, in words, for the audit")
	require(command, "authentication")
	addReason(command, &request.Reason, "why, in your own words, for the audit")
	addRevision(command, &request.Revision)
	requestID := a.newRequest(command)
	command.RunE = a.act(operators, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{
			"reason": "--reason", "revision": "--revision", "request_id": "--request-id", "imei": "--imei",
			"authentication": "--authentication",
		}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		request.RequestId, request.ActivationId = requestID(true), found.GetWorkflow().GetActivationId()
		response, err := dialtonev1.NewWorkflowServiceClient(a.connection).ReplaceProfile(ctx, request)
		if err != nil {
			return err
		}
		if err := a.answer(response, func(p *page) { p.replacing(response.GetWorkflow(), request.GetImei()) }); err != nil {
			return err
		}
		a.advise("see how far it is: dialtone workflow show " + response.GetWorkflow().GetActivationId())
		return nil
	})
	return command
}

// replacing tells what happens now, and where the new code goes.
func (p *page) replacing(w *dialtonev1.Workflow, imei string) {
	p.linef("Accepted: the customer gets another eSIM on the same line.")
	p.facts(
		fact{name: "Activation", value: w.GetActivationId()},
		fact{name: "Number", value: w.GetPhoneNumber()},
		fact{name: "Old eSIM", value: oldProfile(w.GetProfile())},
		fact{name: "New phone", value: join(" ", imeiLabel(imei), imei)},
		fact{name: "E-mail to", value: w.GetLaunch().GetMaskedEmail()},
	)
}

func oldProfile(profile *dialtonev1.Profile) string {
	if profile.GetIccidLast4() == "" {
		return ""
	}
	return "ICCID ending in " + profile.GetIccidLast4() + ", works until the line has moved"
}

func imeiLabel(imei string) string {
	if imei == "" {
		return ""
	}
	return "IMEI"
}
