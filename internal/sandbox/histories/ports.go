package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/sandbox"
)

// says is an answer of the customer's to a question.
type says func(ctx context.Context, portal dialtonev1.PortalServiceClient, activation string, prompt *dialtonev1.PortingPrompt) (dialtonev1.SubmissionVerdict, error)

// ports are the paths of a number that is brought along. The endings are those of the pretend
// carrier (carriertest).
func ports() []path {
	give, correct := gives("445566"), gives("778899")
	return []path{
		{name: "port", number: "00", says: []says{give}},
		{name: "port_refused_and_corrected", number: "01", says: []says{give, correct}},
		{name: "port_refused_by_the_order", number: "26", says: []says{give, correct}},
		{name: "port_locked_at_the_donor", number: "04", says: []says{give, takesOff}},
		{name: "port_without_supplements", number: "25", says: []says{give, correct}},
		{name: "port_time_revoked", number: "16", says: []says{give}},
		{name: "port_completed_without_a_yes", number: "20", says: []says{give}},
		{name: "port_new_number_instead", number: "10", says: []says{keepsNew}},
		{name: "port_new_number_after_a_refusal", number: "01", says: []says{give, keepsNew}},
		{name: "port_another_number", number: "10", says: []says{another("25"), give, correct}},
		{name: "port_stopped_after_a_refusal", number: "02", says: []says{give, stops}},
		{name: "port_expired_unanswered", number: "00"},
		{name: "port_expired_after_a_refusal", number: "01", says: []says{give}},
		{name: "port_cancelled_while_the_customer_is_asked", number: "00", when: asksCustomer, then: cancel},
		{name: "port_cancelled_at_the_donor", number: "19", says: []says{give}, when: submitted, then: cancel},
		{name: "port_cancelled_too_late", number: "21", says: []says{give}, when: submitted, then: cancel},
		{
			name: "port_refused_too_often", number: "13", says: []says{give, correct, gives("112233")}, when: waitsForOperator,
			then: resolve(dialtonev1.Resolution_RESOLUTION_SEND_AGAIN),
		},
	}
}

// answer gives the customer's answers, each once its question is asked.
func (r *recorder) answer(ctx context.Context, all []says, activation string) error {
	portal, answered := dialtonev1.NewPortalServiceClient(r.portal), int64(0)
	for i, say := range all {
		met, err := sandbox.Follow(ctx, r.connection, activation, func(w *dialtonev1.Workflow) bool {
			return asksCustomer(w) && w.GetPort().GetPrompt().GetRevision() > answered
		})
		if err != nil {
			return err
		}
		if met.GetEndTime() != nil {
			return fmt.Errorf("the path ended %s before question %d", met.GetState(), i+1)
		}
		shown, err := portal.GetPortingPrompt(ctx, &dialtonev1.GetPortingPromptRequest{ActivationId: activation})
		if err != nil {
			return fmt.Errorf("read the question: %w", err)
		}
		verdict, err := say(ctx, portal, activation, shown.GetPrompt())
		if err != nil {
			return fmt.Errorf("answer question %d: %w", i+1, err)
		}
		if verdict != dialtonev1.SubmissionVerdict_SUBMISSION_VERDICT_ACCEPTED {
			return fmt.Errorf("the answer to question %d is %s", i+1, verdict)
		}
		answered = shown.GetPrompt().GetRevision()
	}
	return nil
}

func asksCustomer(w *dialtonev1.Workflow) bool {
	return w.GetState() == dialtonev1.WorkflowState_WORKFLOW_STATE_WAITING_FOR_CUSTOMER && w.GetPort().GetPrompt() != nil
}

func submitted(w *dialtonev1.Workflow) bool {
	return w.GetPort().GetState() == dialtonev1.PortState_PORT_STATE_SUBMITTED
}

// gives says what the donor wants to know, with this PIN.
func gives(pin string) says {
	return func(ctx context.Context, portal dialtonev1.PortalServiceClient, activation string, prompt *dialtonev1.PortingPrompt) (dialtonev1.SubmissionVerdict, error) {
		said, err := portal.SubmitPortingInfo(ctx, &dialtonev1.SubmitPortingInfoRequest{
			RequestId: uuid.NewString(), ActivationId: activation, Revision: prompt.GetRevision(),
			Credentials: &dialtonev1.SubmitPortingInfoRequest_Us{Us: sandbox.AnswerTo(prompt, sandbox.PortingInfo(pin))},
		})
		return said.GetVerdict(), err
	}
}

// takesOff has the port's lock taken off.
func takesOff(ctx context.Context, portal dialtonev1.PortalServiceClient, activation string, prompt *dialtonev1.PortingPrompt) (dialtonev1.SubmissionVerdict, error) {
	said, err := portal.ConfirmDonorAction(ctx, &dialtonev1.ConfirmDonorActionRequest{
		RequestId: uuid.NewString(), ActivationId: activation, Revision: prompt.GetRevision(), Action: prompt.GetDonorAction(),
	})
	return said.GetVerdict(), err
}

func keepsNew(ctx context.Context, portal dialtonev1.PortalServiceClient, activation string, prompt *dialtonev1.PortingPrompt) (dialtonev1.SubmissionVerdict, error) {
	said, err := portal.KeepNewNumber(ctx, &dialtonev1.KeepNewNumberRequest{
		RequestId: uuid.NewString(), ActivationId: activation, Revision: prompt.GetRevision(),
	})
	return said.GetVerdict(), err
}

// another brings a number with another ending.
func another(ending string) says {
	return func(ctx context.Context, portal dialtonev1.PortalServiceClient, activation string, prompt *dialtonev1.PortingPrompt) (dialtonev1.SubmissionVerdict, error) {
		said, err := portal.ChangeNumber(ctx, &dialtonev1.ChangeNumberRequest{
			RequestId: uuid.NewString(), ActivationId: activation, Revision: prompt.GetRevision(),
			PortPhoneNumber: sandbox.DrawNumber(ending), PortCarrier: "verizon",
		})
		return said.GetVerdict(), err
	}
}

func stops(ctx context.Context, portal dialtonev1.PortalServiceClient, activation string, prompt *dialtonev1.PortingPrompt) (dialtonev1.SubmissionVerdict, error) {
	said, err := portal.StopPort(ctx, &dialtonev1.StopPortRequest{
		RequestId: uuid.NewString(), ActivationId: activation, Revision: prompt.GetRevision(),
	})
	return said.GetVerdict(), err
}
