package cli

import (
	"cmp"
	"fmt"

	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// verdictReply is what every act of the customer is answered with.
type verdictReply interface {
	proto.Message
	GetVerdict() dialtonev1.SubmissionVerdict
	GetMessage() string
	GetPrompt() *dialtonev1.PortingPrompt
}

// verdict tells what became of an act of the customer. One that was not taken is no success,
// though the call was: JSON has the reply, and the exit code says so.
func (a *app) verdict(id string, reply verdictReply) error {
	refused := notTaken(id, reply)
	if refused != nil && !a.json() {
		return refused
	}
	if err := a.answer(reply, func(p *page) { p.taken(reply) }); err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	a.advise("see what comes of it: " + seePrompt(id))
	return nil
}

// notTaken says why an act was not taken, and what to do then; nil when it was.
func notTaken(id string, reply verdictReply) error {
	var text string
	var next []string
	switch verdict := reply.GetVerdict(); verdict {
	case dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_ACCEPTED, dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_DUPLICATE:
		return nil
	case dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_UNCHANGED:
		text = "Nothing that was refused is different, so it was not sent again: providers lock numbers after repeated wrong details."
		next = []string{"ask for other values of what is marked refused: " + seePrompt(id)}
	case dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_STALE:
		text = "The question has changed since, and nothing was kept."
		next = []string{"read what is asked now: " + seePrompt(id), "then answer that, with a new --request-id"}
	case dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_TOO_LATE:
		text = "The number is moving or has moved, or the activation is ending: nothing was changed."
		next = []string{"see where it is: " + seePrompt(id)}
	default:
		return &exitError{
			code: exitFailed,
			text: fmt.Sprintf("the server's verdict is newer than this program: %s (%s)", clean(reply.GetMessage()), word(verdict)),
			next: []string{"see what is asked now: " + seePrompt(id)},
		}
	}
	text = cmp.Or(clean(reply.GetMessage()), text)
	return &exitError{code: exitConflict, text: text + " (" + code(reply.GetVerdict()) + ")", next: next}
}

// taken tells of an act that was taken, and what is asked after it.
func (p *page) taken(reply verdictReply) {
	begin := "Accepted"
	if reply.GetVerdict() == dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_DUPLICATE {
		begin = "Said before, and it holds"
	}
	p.said("", join(": ", begin, reply.GetMessage()))
	p.facts(
		fact{name: "Asked now", value: asked(reply.GetPrompt())},
		fact{name: "Until", value: p.due(reply.GetPrompt().GetDeadline())},
	)
}
