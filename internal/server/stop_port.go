package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// StopPort gives up the port and the activation with it. It may come while nothing is asked.
func (r *rpcs) StopPort(ctx context.Context, request *dialtonev1.StopPortRequest) (*dialtonev1.StopPortResponse, error) {
	var f form
	v, err := f.saying(ctx, "StopPort", mobile.ActStopPort, request)
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
	return &dialtonev1.StopPortResponse{Verdict: a.verdict, Message: a.message, Prompt: a.prompt}, nil
}
