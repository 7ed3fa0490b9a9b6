package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) workflowResolveCommand() *cobra.Command {
	request := &dialtonev1.ResolveActionRequest{}
	var how words[dialtonev1.Resolution]
	command := &cobra.Command{
		Use:   "resolve ACTIVATION|WORKFLOW|SUBSCRIPTION",
		Short: "Decide about what waits for an operator",
		Long: `Decide about what waits for an operator. Without --as nothing is decided: it lists what
waits, and what can be decided about each, as command lines to paste.

  done           it has happened, or was done by hand at the partner
  send-again     do it once more; what the first try may have left behind is written off
  give-up        give back what was taken, and end
  go-on          go on from where it is
  end-as-failed  end at once, and leave at the partners whatever is there
  dismiss        seen; nothing is to be done

Which of these there are depends on what waits; the others are refused. A decision is carried
out at once or not at all: after exit code 6 repeat it with the --request-id that was shown.

` + lookupHelp,
		Example: `  dialtone workflow resolve sub-1001
  dialtone workflow resolve sub-1001 --as send-again --reason "the SM-DP+ has no such order"
  dialtone workflow resolve sub-1001 --as done --reference 8901260862291234560 \
      --reason "found in the SM-DP+'s list of orders" --revision 7`,
		Args: arguments("an activation, a Temporal workflow id or a subscription"),
	}
	how.add(command, "as", "how to settle it")
	flags := command.Flags()
	flags.StringVar(&request.Reason, "reason", "", "why, in your own words, for the audit; required with --as")
	flags.StringVar(&request.Reference, "reference", "", "with --as done: what the partner calls it (an ICCID, a message id)")
	flags.StringVar(&request.ItemId, "item", "", "which item is meant, where more than one is open")
	addRevision(command, &request.Revision)
	requestID := a.newRequest(command)
	command.RunE = a.act(operators, func(ctx context.Context, args []string) error {
		a.fields = map[string]string{
			"reason": "--reason", "revision": "--revision", "request_id": "--request-id", "resolution": "--as",
			"reference": "--reference", "item_id": "--item",
		}
		request.Resolution = how.value()
		if request.GetResolution() != 0 && request.GetReason() == "" {
			return &usageError{text: "--as wants a --reason: why, in your own words, for the audit", help: command.CommandPath() + " --help"}
		}
		found, err := a.getWorkflow(ctx, newLookup(args[0]))
		if err != nil {
			return err
		}
		if request.GetResolution() == 0 {
			return a.undecided(found.GetWorkflow())
		}
		request.RequestId, request.ActivationId = requestID(true), found.GetWorkflow().GetActivationId()
		response, err := dialtonev1.NewWorkflowServiceClient(a.connection).ResolveAction(ctx, request)
		if err != nil {
			return err
		}
		meant := itemMeant(found.GetWorkflow(), request.GetItemId())
		if err := a.answer(response, func(p *page) { p.resolved(response.GetWorkflow(), meant) }); err != nil {
			return err
		}
		a.advise("see what comes of it: " + seeEnd(response.GetWorkflow()))
		return nil
	})
	return command
}

// undecided lists what waits for a decision. It goes to stderr and is no success: nothing was
// decided.
func (a *app) undecided(w *dialtonev1.Workflow) error {
	show := "see where it is: dialtone workflow show " + w.GetActivationId()
	if len(openItems(w.GetItems())) == 0 {
		return &exitError{code: exitConflict, text: "nothing waits for an operator", next: []string{show}}
	}
	p := a.page(a.env.Err)
	p.linef("%s%s", p.paint(strings.ToUpper(word(w.GetState())), stateTone(w.GetState())), p.sinceWhen(w))
	p.openItems(w)
	p.linef("")
	a.say("%s", strings.TrimSuffix(p.String(), "\n"))
	return &exitError{
		code: exitUsage, text: "nothing was decided: say --as what, and --reason why",
		next: []string{"paste one of the command lines above, with your own reason", show},
	}
}

// resolved tells what became of what waited; the item is empty where it is not known which.
func (p *page) resolved(w *dialtonev1.Workflow, item string) {
	at := slices.IndexFunc(w.GetItems(), func(i *dialtonev1.Item) bool { return item != "" && i.GetItemId() == item })
	switch {
	case at < 0:
		p.linef("Decided.")
	case w.GetItems()[at].GetCloseTime() == nil:
		p.linef("Accepted, and about to be carried out: %s.", itemName(w.GetItems()[at]))
	default:
		p.linef("Settled: %s, %s.", itemName(w.GetItems()[at]), howClosed(w.GetItems()[at]))
	}
	p.facts(
		fact{name: "Activation", value: w.GetActivationId()},
		fact{name: "Now", value: word(w.GetState()) + p.forAge(w.GetSince())},
		fact{name: "Next", value: w.GetNext()},
	)
}

// itemMeant is the item that a decision is about: the one named, or the only one open.
func itemMeant(w *dialtonev1.Workflow, named string) string {
	if open := openItems(w.GetItems()); named == "" && len(open) == 1 {
		return open[0].GetItemId()
	}
	return named
}

// seeEnd is the command line that shows how it goes on.
func seeEnd(w *dialtonev1.Workflow) string {
	if w.GetEndTime() != nil {
		return "dialtone workflow show " + w.GetActivationId()
	}
	return "dialtone workflow watch " + w.GetActivationId()
}
