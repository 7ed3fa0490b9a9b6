package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Where a port is, since when, why, who must act, and what the donor has refused",
		Long: `Where a port is, since when, why, who must act, when the number moves, what the customer is
asked, and each refusal of the donor in its own words. workflow show has the activation
around it. With --output json it is the port alone.

` + lookupHelp,
		Example: `  dialtone port show sub-1001
  dialtone port show sub-1001 --output json | jq -r '.refusals[].carrier_message'`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
		RunE: a.act(staff, func(ctx context.Context, args []string) error {
			response, err := a.getWorkflow(ctx, newLookup(args[0]))
			if err != nil {
				return err
			}
			w := response.GetWorkflow()
			if w.GetPort() == nil {
				return &exitError{
					code: exitConflict,
					text: "activation " + clean(w.GetActivationId()) + " brings no number: it is for a new line",
					next: []string{"see it: dialtone workflow show " + clean(w.GetActivationId())},
				}
			}
			return a.answer(w.GetPort(), func(p *page) { p.port(w) })
		}),
	}
}

// port is the port of an activation, alone.
func (p *page) port(w *dialtonev1.Workflow) {
	port := w.GetPort()
	since := ""
	if port.GetSince() != nil {
		since = fmt.Sprintf("  for %s, since %s", p.age(port.GetSince()), exact(port.GetSince()))
	}
	p.linef("%s%s", p.paint(strings.ToUpper(word(port.GetState())), portTone(port.GetState())), since)
	p.linef("")
	p.facts(append(p.portFacts(port),
		fact{name: "Activation", value: fmt.Sprintf("%s, revision %d, %s", w.GetActivationId(), w.GetRevision(), word(w.GetState()))},
		fact{name: "Subscription", value: join(", account ", w.GetSubscriptionId(), w.GetAccountId())},
	)...)
	if rows := portRefusals(port); len(rows) > 0 {
		p.title("What the donor said")
		p.table("  ", rows)
	}
}

// portSection is the bringing of a number, as a part of an activation.
func (p *page) portSection(port *dialtonev1.Port) {
	if port == nil {
		return
	}
	p.title("Port")
	state := fact{name: "State", value: word(port.GetState()) + p.portSince(port), tone: portTone(port.GetState())}
	p.indented(append([]fact{state}, p.portFacts(port)...)...)
	p.table("  ", portRefusals(port))
}

// portFacts is all there is to know of a port, but its state and what the donor said.
func (p *page) portFacts(port *dialtonev1.Port) []fact {
	asks := ""
	if prompt := port.GetPrompt(); prompt != nil {
		asks = fmt.Sprintf("%s (prompt revision %d), lapses %s", word(prompt.GetKind()), prompt.GetRevision(), p.due(prompt.GetDeadline()))
	}
	return []fact{
		{name: "Why", value: join(": ", port.GetReason(), port.GetReasonMessage())},
		{name: "Who acts", value: who(port.GetWaitingOn(), port.GetDonorName())},
		{name: "Number", value: join(", ", port.GetPhoneNumber(), word(port.GetNumberType()))},
		{name: "From", value: donor(port)},
		{name: "Order", value: join(", ", port.GetCarrierReference(), sent(p.when(port.GetSubmitTime())))},
		{name: "Moves", value: p.when(port.GetDueTime())},
		{name: "Moved", value: p.when(port.GetCompleteTime())},
		{name: "Details", value: details(port)},
		{name: "PIN", value: p.pinLife(port.GetPinExpireTime())},
		{name: "Customer asked", value: asks},
		{name: "Reminders", value: p.reminders(port.GetPrompt())},
		{name: "Refusals", value: refusals(port)},
	}
}

// portRefusals is each no of the donor, in its own words.
func portRefusals(port *dialtonev1.Port) []row {
	var rows []row
	for _, r := range port.GetRefusals() {
		said := r.GetReason()
		if words := join(" ", r.GetCarrierCode(), quoted(r.GetCarrierMessage())); words != "" {
			said += ": they said " + words
		}
		rows = append(rows, row{cells: cells("refused", exact(r.GetTime()), said)})
	}
	return rows
}

func (p *page) portSince(port *dialtonev1.Port) string {
	if port.GetSince() == nil {
		return ""
	}
	return ", " + p.when(port.GetSince())
}

// donor names the company that the number leaves.
func donor(port *dialtonev1.Port) string {
	if port.GetDonorName() == "" {
		return port.GetDonor()
	}
	return join(" ", port.GetDonorName(), parenthesised(port.GetDonor()))
}

func details(port *dialtonev1.Port) string {
	if port.GetInfoPresent() {
		return "the customer has given what the donor asks for"
	}
	return "not given yet by the customer"
}

// pinLife is how long the PIN that is held is still taken.
func (p *page) pinLife(expires *timestamppb.Timestamp) string {
	switch {
	case expires == nil:
		return ""
	case p.overdue(expires):
		return "lapsed " + p.when(expires)
	}
	return "lapses " + p.when(expires)
}

func (p *page) reminders(prompt *dialtonev1.PortPrompt) string {
	if prompt == nil {
		return ""
	}
	next := ""
	if prompt.GetNextReminderTime() != nil {
		next = "next " + p.when(prompt.GetNextReminderTime())
	}
	return join(", ", fmt.Sprintf("%d sent", prompt.GetReminderCount()), next)
}

func refusals(port *dialtonev1.Port) string {
	if port.GetRefusalCount() == 0 {
		return ""
	}
	return fmt.Sprintf("%d so far; %s before an operator takes over", port.GetRefusalCount(), counted(port.GetAttemptsLeft(), "more try", "more tries"))
}

func sent(when string) string {
	if when == "" {
		return ""
	}
	return "sent " + when
}
