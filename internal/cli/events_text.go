package cli

import (
	"context"
	"fmt"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// letGoOfFeed says where to go on.
func (a *app) letGoOfFeed(ctx context.Context, f *feed) error {
	return letGo(ctx, "the feed goes on", fmt.Sprintf("dialtone events tail --follow --after %d", f.after))
}

// printEvent prints one event on a line.
func (a *app) printEvent(message *dialtonev1.WatchEventsResponse) error {
	if a.json() {
		return a.printJSON(message, true)
	}
	event := message.GetEvent()
	line := fmt.Sprintf("%s  %s  %s  %s  %s",
		exact(event.GetCreateTime()),
		pad(fmt.Sprintf("#%d", event.GetSequence()), 6),
		pad(event.GetType(), 29),
		pad(event.GetSubscriptionId(), 12),
		join("; ", eventText(event), labelled("activation ", event.GetActivationId())))
	return a.write(strings.TrimRight(line, " ") + "\n")
}

// eventText says what changed.
func eventText(event *dialtonev1.Event) string {
	switch change := event.GetChange().(type) {
	case *dialtonev1.Event_Subscription:
		return subscriptionChange(change.Subscription)
	case *dialtonev1.Event_Workflow:
		return workflowChange(change.Workflow)
	case *dialtonev1.Event_Port:
		return portChange(change.Port)
	case *dialtonev1.Event_Profile:
		c := change.Profile
		return join("; ", "ICCID ending in "+c.GetIccidLast4(), word(c.GetState()), moved(word(c.GetPreviousInstallState()), word(c.GetInstallState())))
	case *dialtonev1.Event_Notice:
		return join("; ", word(change.Notice.GetKind()), word(change.Notice.GetDelivery()), change.Notice.GetReason())
	case *dialtonev1.Event_Item:
		c := change.Item
		return join("; ", c.GetKind(), word(c.GetSeverity()), labelled("resolved: ", word(c.GetResolution())))
	default:
		return "" // A type that is newer than this program.
	}
}

func subscriptionChange(c *dialtonev1.SubscriptionChange) string {
	return join("; ", moved(word(c.GetPreviousStatus()), word(c.GetStatus())), labelled("plan ", c.GetPlan()), c.GetPhoneNumber(), labelled("bill from ", exact(c.GetActivateTime())))
}

func workflowChange(c *dialtonev1.WorkflowChange) string {
	what := moved(word(c.GetPreviousState()), word(c.GetState()))
	if step := word(c.GetStepState()); step != "" {
		what = c.GetStep() + " " + step
	} else if c.GetStep() != "" {
		what += " at " + c.GetStep()
	}
	acts := ""
	switch c.GetWaitingOn() {
	case dialtonev1.Party_PARTY_UNSPECIFIED, dialtonev1.Party_PARTY_DIALTONE:
	default:
		acts = "acts: " + word(c.GetWaitingOn())
	}
	return join("; ", what, c.GetReason(), acts, labelled("by ", exact(c.GetDeadline())))
}

func portChange(c *dialtonev1.PortChange) string {
	asks := ""
	if kind := word(c.GetPromptKind()); kind != "" {
		asks = fmt.Sprintf("the customer is asked: %s (revision %d), until %s", kind, c.GetPromptRevision(), exact(c.GetDeadline()))
	}
	return join("; ", moved(word(c.GetPreviousState()), word(c.GetState())), c.GetReason(), join(" from ", c.GetPhoneNumber(), c.GetDonor()), labelled("moves ", exact(c.GetDueTime())), asks)
}

// moved is a state and the one before: "pending -> active".
func moved(was, is string) string {
	if was == is {
		return is
	}
	return join(" -> ", was, is)
}
