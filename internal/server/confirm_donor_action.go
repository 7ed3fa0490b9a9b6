package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ConfirmDonorAction takes the customer's word that what only they can do at the donor is
// done. The port is sent again with the same details.
func (r *rpcs) ConfirmDonorAction(ctx context.Context, request *dialtonev1.ConfirmDonorActionRequest) (*dialtonev1.ConfirmDonorActionResponse, error) {
	v, err := readDonorAction(ctx, request)
	if err != nil {
		return nil, err
	}
	a, err := r.say(ctx, v)
	if err != nil {
		return nil, err
	}
	return &dialtonev1.ConfirmDonorActionResponse{Verdict: a.verdict, Message: a.message, Prompt: a.prompt}, nil
}

func readDonorAction(ctx context.Context, request *dialtonev1.ConfirmDonorActionRequest) (saying, error) {
	var f form
	v, err := f.saying(ctx, "ConfirmDonorAction", mobile.ActConfirmDonorAction, request)
	if err != nil {
		return v, err
	}
	f.answering(request.GetRevision())
	if request.GetAction() == dialtonev1.DonorAction_DONOR_ACTION_UNSPECIFIED {
		f.refuse("action", "FIELD_REQUIRED", "Say what was done: the prompt's donor_action.")
	}
	v.Action = chosen[mobile.DonorAction](&f, "action", dialtonev1.DonorAction_name, "DONOR_ACTION_", request.GetAction())
	v.fields = append(v.fields, string(v.Action))
	return v, f.err()
}
