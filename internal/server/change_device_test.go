package server_test

import (
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func TestChangeDevice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.asked(t, b.bringing(t, b.a, 1), mobile.Prompt{Kind: mobile.PromptCorrectDevice, Reason: "DEVICE_BLOCKED"})
	first := b.askedFirst(t, b.a, 2)
	ctx := as(t.Context(), b.a.backend())
	request := &dialtonev1.ChangeDeviceRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Revision: 1, Imei: "35-209900-176148-1",
	}
	for name, c := range map[string]struct {
		id, imei string
		want     refusal
	}{
		"another question": {string(first.ID), request.GetImei(), refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"}},
		"no phone":         {string(a.ID), "", invalid(map[string]string{"imei": "FIELD_REQUIRED"})},
		"mistyped":         {string(a.ID), "490154203237517", invalid(map[string]string{"imei": "IMEI_CHECK_DIGIT"})},
		"an IMEISV":        {string(a.ID), "4901542032375180", invalid(map[string]string{"imei": "IMEI_IS_IMEISV"})},
	} {
		_, err := b.portals.ChangeDevice(ctx, &dialtonev1.ChangeDeviceRequest{
			RequestId: uuid.NewString(), ActivationId: c.id, Revision: 1, Imei: c.imei,
		})
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, c.want) })
	}

	response, err := b.portals.ChangeDevice(ctx, request)
	must(t, err)
	again, err := b.portals.ChangeDevice(ctx, request)
	must(t, err)

	if response.GetVerdict() != isAccepted || again.GetVerdict() != isAccepted || response.GetPrompt().GetKind() != none {
		t.Errorf("%v, %v", response, again)
	}
	if imei := ask[string](t, b, `SELECT imei FROM submissions WHERE request_id = $1`, request.GetRequestId()); imei != "352099001761481" {
		t.Errorf("kept %s", imei)
	}
	request.Imei = "490154203237518"
	_, err = b.portals.ChangeDevice(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
}
