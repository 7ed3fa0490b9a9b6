package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) launchCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "launch",
		Short: "Launch a workflow",
		Example: `  dialtone launch mobile-activation --subscription sub-1001 --imei 490154203237518 --zip 90012
  dialtone launch mobile-activation --help`,
		RunE: a.group,
	}
	group.AddCommand(a.launchMobileActivationCommand())
	return group
}

func (a *app) launchMobileActivationCommand() *cobra.Command {
	fields := &dialtonev1.MobileActivation{}
	request := &dialtonev1.LaunchWorkflowRequest{
		Workflow: &dialtonev1.LaunchWorkflowRequest_MobileActivation{MobileActivation: fields},
	}
	command := &cobra.Command{
		Use:   "mobile-activation",
		Short: "Bring a pending subscription's line on the air, with a new number or the customer's own",
		Long: `Bring a pending subscription's line on the air. The first three fields are required. The
next two replace what the account says. The last two bring the customer's number from
another carrier: both or neither.

Once accepted, it happens, whatever becomes of this command. To repeat a launch whose
answer was lost, give the request id that it showed.`,
		Example: `  dialtone launch mobile-activation --subscription sub-1001 --imei 490154203237518 --zip 90012 --watch
  dialtone launch mobile-activation --subscription sub-1001 --imei 490154203237518 --zip 90012 \
      --port-number 310-555-0123 --port-carrier att --dry-run`,
		Args: arguments(),
	}
	flags := command.Flags()
	flags.StringVar(&fields.SubscriptionId, "subscription", "", "a pending subscription with a mobile plan")
	flags.StringVar(&fields.Imei, "imei", "", "the phone's IMEI, 15 digits; it shows it at *#06#")
	flags.StringVar(&fields.ZipCode, "zip", "", "where the line is used: a US ZIP of 5 or 9 digits")
	flags.StringVar(&fields.NameOverride, "name", "", "the customer's name, instead of the account's")
	flags.StringVar(&fields.EmailOverride, "email", "", "the customer's e-mail address, instead of the account's")
	flags.StringVar(&fields.PortPhoneNumber, "port-number", "", "the number to bring")
	flags.StringVar(&fields.PortCarrier, "port-carrier", "", "the carrier that it leaves")
	flags.BoolVar(&request.ValidateOnly, "dry-run", false, "check everything, ask the carrier, keep nothing")
	watch := flags.Bool("watch", false, "then watch it until its end")
	require(command, "subscription", "imei", "zip")
	command.MarkFlagsMutuallyExclusive("dry-run", "watch")
	command.MarkFlagsRequiredTogether("port-number", "port-carrier")
	requestID := a.newRequest(command)
	command.RunE = a.act(staff, func(ctx context.Context, _ []string) error {
		a.fields = launchFields
		request.RequestId = requestID(!request.GetValidateOnly())
		response, err := dialtonev1.NewWorkflowServiceClient(a.connection).LaunchWorkflow(ctx, request)
		if err != nil {
			return err
		}
		if *watch {
			return a.launchedAndWatched(ctx, response)
		}
		if request.GetValidateOnly() {
			return a.answer(response, func(p *page) { p.trial(response) })
		}
		if err := a.answer(response, func(p *page) { p.launched(response.GetWorkflow()) }); err != nil {
			return err
		}
		a.advise(launchSteps(response.GetWorkflow())...)
		return nil
	})
	return command
}

// launchSteps say what to do next.
func launchSteps(w *dialtonev1.Workflow) []string {
	steps := []string{"watch it: dialtone workflow watch " + w.GetActivationId()}
	if w.GetPort() != nil {
		steps = append(steps, "see the port, and what the customer is asked: dialtone port show "+w.GetActivationId())
	}
	return steps
}

// launchFields gives the flag of each field of the launch form.
var launchFields = map[string]string{
	"mobile_activation.subscription_id":   "--subscription",
	"mobile_activation.imei":              "--imei",
	"mobile_activation.zip_code":          "--zip",
	"mobile_activation.name_override":     "--name",
	"mobile_activation.email_override":    "--email",
	"mobile_activation.port_phone_number": "--port-number",
	"mobile_activation.port_carrier":      "--port-carrier",
	"request_id":                          "--request-id",
}

// launchedAndWatched prints the answer, and then what becomes of it.
func (a *app) launchedAndWatched(ctx context.Context, response *dialtonev1.LaunchWorkflowResponse) error {
	if a.json() {
		if err := a.printJSON(response, true); err != nil {
			return err
		}
	} else if err := a.answer(response, func(p *page) {
		p.launched(response.GetWorkflow())
		p.linef("")
	}); err != nil {
		return err
	}
	return a.watch(ctx, lookup{name: response.GetWorkflow().GetActivationId(), kind: byActivation}, response.GetWorkflow())
}

// launched tells what was accepted.
func (p *page) launched(w *dialtonev1.Workflow) {
	p.linef("Accepted: it will happen, whatever becomes of this command.")
	p.facts(
		fact{name: "Activation", value: w.GetActivationId()},
		fact{name: "Journey", value: journey(w)},
		fact{name: "Subscription", value: join(", account ", w.GetSubscriptionId(), w.GetAccountId())},
		fact{name: "Number", value: w.GetPhoneNumber()},
		fact{name: "State", value: word(w.GetState()) + p.forAge(w.GetSince()), tone: stateTone(w.GetState())},
		fact{name: "Temporal", value: w.GetTemporalUrl()},
	)
}

// trial tells what a launch would do.
func (p *page) trial(response *dialtonev1.LaunchWorkflowResponse) {
	w, preflight := response.GetWorkflow(), response.GetPreflight()
	p.linef("It would be accepted. Nothing was kept.")
	p.linef("")
	p.facts(
		fact{name: "Journey", value: journey(w)},
		fact{name: "Subscription", value: join(", account ", w.GetSubscriptionId(), w.GetAccountId())},
		fact{name: "Number", value: w.GetPhoneNumber()},
		fact{name: "Customer", value: customer(w.GetLaunch())},
		fact{name: "Phone", value: phone(w.GetLaunch())},
		fact{name: "Steps", value: stepNames(w.GetSteps())},
	)
	if preflight == nil {
		return
	}
	p.title("What the carrier says beforehand (it is asked again)")
	p.indented(
		preflightFact("The phone", preflight.GetDevice()),
		preflightFact("The number", preflight.GetPortability()),
		fact{name: "Kind of line", value: word(preflight.GetNumberType())},
		fact{name: "It is with", value: join(" ", preflight.GetDonorName(), parenthesised(preflight.GetDonor()))},
		fact{name: "Moves earliest", value: p.when(preflight.GetEarliestTime())},
		fact{name: "To be asked for", value: fieldNames(preflight.GetRequiredFields())},
	)
	for _, hint := range preflight.GetHints() {
		p.said("  ", "Tell the customer: "+hint)
	}
}

func preflightFact(name string, check *dialtonev1.PreflightCheck) fact {
	f := fact{name: name, value: join(", ", word(check.GetVerdict()), join(": ", check.GetReason(), check.GetMessage()))}
	switch check.GetVerdict() {
	case dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_OK:
		f.tone = green
	case dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_NO:
		f.tone = red
	default:
		f.tone = yellow
	}
	return f
}

func stepNames(steps []*dialtonev1.Step) string {
	var names []string
	for _, step := range steps {
		names = append(names, step.GetName())
	}
	return strings.Join(names, ", ")
}

// fieldNames lists what the customer is asked for, each with how to find it.
func fieldNames(fields []*dialtonev1.PortingField) string {
	var names []string
	for _, field := range fields {
		names = append(names, join(" ", field.GetLabel(), parenthesised(field.GetHint())))
	}
	return strings.Join(names, "\n")
}
