package server

import (
	"context"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ChangeDevice takes another phone in the place of one that cannot be used.
func (r *rpcs) ChangeDevice(ctx context.Context, request *dialtonev1.ChangeDeviceRequest) (*dialtonev1.ChangeDeviceResponse, error) {
	v, err := readOtherDevice(ctx, request)
	if err != nil {
		return nil, err
	}
	a, err := r.say(ctx, v)
	if err != nil {
		return nil, err
	}
	return &dialtonev1.ChangeDeviceResponse{Verdict: a.verdict, Message: a.message, Prompt: a.prompt}, nil
}

func readOtherDevice(ctx context.Context, request *dialtonev1.ChangeDeviceRequest) (saying, error) {
	var f form
	v, err := f.saying(ctx, "ChangeDevice", mobile.ActChangeDevice, request)
	if err != nil {
		return v, err
	}
	f.answering(request.GetRevision())
	imei, violation := mobile.ParseIMEI(request.GetImei())
	f.take("imei", violation)
	v.IMEI = imei
	v.fields = append(v.fields, string(imei))
	return v, f.err()
}
