package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// KeepNewNumber gives up the port, not the line: that comes with a new number.
func (r *rpcs) KeepNewNumber(ctx context.Context, request *dialtonev1.KeepNewNumberRequest) (*dialtonev1.KeepNewNumberResponse, error) {
	var f form
	v, err := f.saying(ctx, "KeepNewNumber", mobile.ActKeepNewNumber, request)
	if err != nil {
		return nil, err
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	a, err := r.say(ctx, v)
	if err != nil {
		return nil, err
	}
	return &dialtonev1.KeepNewNumberResponse{Verdict: a.verdict, Message: a.message, Prompt: a.prompt}, nil
}
