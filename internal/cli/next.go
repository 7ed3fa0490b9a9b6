package cli

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// nextSteps says what to do about a refusal, as command lines where there is one. A reason
// that is newer than this program is told by its code.
func (a *app) nextSteps(r refusal) []string {
	activation := r.about("activation_id")
	switch r.reason() {
	case "ACTIVATION_IN_PROGRESS", "NUMBER_BEING_PORTED":
		return about("see the one in the way: dialtone workflow show ", activation)
	case "REQUEST_ID_REUSED":
		return append([]string{"draw a new --request-id for a new intent"},
			about("see what the first one began: dialtone workflow show ", activation)...)
	case "STALE_REVISION":
		return append(about("look again: dialtone workflow show ", activation),
			about("then decide again, with --revision ", r.about("revision"))...)
	case "WORKFLOW_ENDED", "TOO_LATE_TO_CANCEL", "NOT_APPLICABLE":
		if a.callers.names == portal.names {
			return about("see what the customer may do: dialtone port prompt ", activation)
		}
		return r.whatApplies(activation)
	case "SUBSCRIPTION_NOT_PENDING", "SUBSCRIPTION_NOT_MOBILE", "SUBSCRIPTION_EXISTS":
		return about("see it: dialtone subscription show ", r.about("subscription_id"))
	case "SUBSCRIPTION_NOT_FOUND":
		return []string{"see which there are: dialtone subscription list"}
	case "WORKFLOW_NOT_FOUND":
		if a.callers.names == portal.names {
			return []string{"see which there are, with a token of OPERATOR: dialtone workflow list"}
		}
		return []string{"see which there are: dialtone workflow list"}
	case "TOKEN_NOT_FOUND":
		return []string{"see which there are: dialtone token list"}
	case "INVALID_FIELDS", "TENANT_NOT_FOUND", "TENANT_EXISTS", "MESSAGE_TOO_LARGE", "NOT_BUILT":
		return nil // The message says it all.
	case "INTERNAL":
		return append(about("tell those who run the server the incident ", r.about("incident_id")), a.repeatStep()...)
	}
	switch r.code {
	case codes.Unauthenticated:
		return []string{"set DIALTONE_TOKEN to a token of " + a.callers.names + "; an administrator makes one with: " + a.callers.create()}
	case codes.PermissionDenied:
		next := []string{"use a token of " + a.callers.names}
		if a.callers.principal != "" {
			next = append(next, "an administrator makes one with: "+a.callers.create())
		}
		return next
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
		return append(r.pause(), a.repeatStep()...)
	case codes.Unimplemented:
		return []string{"the server at " + a.server.address + " is older than this program, or no Dialtone"}
	default:
		return nil
	}
}

// whatApplies is what can be done instead of what cannot.
func (r refusal) whatApplies(activation string) []string {
	steps := about("see where it is: dialtone workflow show ", activation)
	if activation == "" {
		return steps
	}
	if r.about("install_state") != "" {
		steps = append(steps, "give the customer another eSIM: dialtone workflow replace-profile "+activation+" --reason WHY --authentication HOW")
	}
	if r.about("item_ids") != "" {
		steps = append(steps, "see what each item asks: dialtone workflow resolve "+activation)
	}
	for _, choice := range strings.Fields(r.about("choices")) {
		steps = append(steps, resolveLine(activation, r.about("item_id"), choice))
	}
	return steps
}

// resolveLine is the command line of a resolution that would be taken.
func resolveLine(activation, item, choice string) string {
	line := "what applies: dialtone workflow resolve " + activation + " --as " + flagWord(strings.ToLower(choice))
	if item != "" {
		line += " --item " + item
	}
	return line + " --reason WHY"
}

// about is a step that needs an identifier; none without it.
func about(step, id string) []string {
	if id == "" {
		return nil
	}
	return []string{step + id}
}

// pause is what the server says about coming back.
func (r refusal) pause() []string {
	if r.retry == nil {
		return []string{"try again in a moment"}
	}
	return []string{"try again in " + span(max(r.retry.GetRetryDelay().AsDuration(), time.Second))}
}

// repeatStep tells how to repeat a call of which it is not known whether it was accepted.
func (a *app) repeatStep() []string {
	if a.requestID == "" {
		return nil
	}
	return []string{fmt.Sprintf("repeat the same command%s with --request-id %s%s: it happens once", a.repeatInput, a.requestID, a.repeatFlags)}
}
