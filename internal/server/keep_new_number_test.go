package server_test

import (
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func keep(a mobile.Activation, revision int64) *dialtonev1.KeepNewNumberRequest {
	return &dialtonev1.KeepNewNumberRequest{RequestId: uuid.NewString(), ActivationId: string(a.ID), Revision: revision}
}

func TestKeepNewNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.refusedFor(t, b.a, 1, mobile.PortNotPortable)
	ctx := as(t.Context(), b.link(t, a))
	request := keep(a, 2)

	var verdicts []dialtonev1.SubmissionVerdict
	for _, r := range []*dialtonev1.KeepNewNumberRequest{keep(a, 1), request, request, keep(a, 2)} {
		response, err := b.portals.KeepNewNumber(ctx, r)
		must(t, err)
		verdicts = append(verdicts, response.GetVerdict())
	}
	stop, err := b.portals.StopPort(ctx, &dialtonev1.StopPortRequest{RequestId: uuid.NewString()})
	must(t, err)

	want := []dialtonev1.SubmissionVerdict{isStale, isAccepted, isAccepted, isDuplicate}
	for i := range want {
		if verdicts[i] != want[i] {
			t.Errorf("%d: %s, want %s", i, verdicts[i], want[i])
		}
	}
	// What was given up once is not given up in another way.
	if stop.GetVerdict() != isTooLate || len(stop.GetPrompt().GetActs()) != 0 {
		t.Errorf("a stop after that is %v", stop)
	}
}

func TestKeepNewNumber_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.launched(t, b.a)
	device := b.asked(t, b.bringing(t, b.a, 1), mobile.Prompt{Kind: mobile.PromptCorrectDevice, Reason: "DEVICE_BLOCKED"})
	notOffered := refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"}

	for name, c := range map[string]struct {
		request *dialtonev1.KeepNewNumberRequest
		want    refusal
	}{
		"a new line":          {keep(line, 0), notOffered},
		"when asked for else": {keep(device, 1), notOffered},
		"of the future":       {keep(device, 9), invalid(map[string]string{"revision": "REVISION_UNKNOWN"})},
		"malformed": {&dialtonev1.KeepNewNumberRequest{RequestId: "x", ActivationId: "y", Revision: -1}, invalid(map[string]string{
			"request_id": "FIELD_MALFORMED", "activation_id": "FIELD_MALFORMED", "revision": "FIELD_MALFORMED",
		})},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.portals.KeepNewNumber(as(t.Context(), b.a.backend()), c.request)
			wantRefusal(t, err, c.want)
		})
	}
}
