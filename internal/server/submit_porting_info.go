package server

import (
	"context"
	"strconv"
	"time"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// SubmitPortingInfo takes what the donor wants to know. It is sealed in the record, and
// nothing ever answers it.
func (r *rpcs) SubmitPortingInfo(ctx context.Context, request *dialtonev1.SubmitPortingInfoRequest) (*dialtonev1.SubmitPortingInfoResponse, error) {
	v, err := r.readPortingInfo(ctx, request)
	if err != nil {
		return nil, err
	}
	a, err := r.say(ctx, v)
	if err != nil {
		return nil, err
	}
	return &dialtonev1.SubmitPortingInfoResponse{Verdict: a.verdict, Message: a.message, Prompt: a.prompt}, nil
}

func (r *rpcs) readPortingInfo(ctx context.Context, request *dialtonev1.SubmitPortingInfoRequest) (saying, error) {
	var f form
	v, err := f.saying(ctx, "SubmitPortingInfo", mobile.ActSubmitPortingInfo, request)
	if err != nil {
		return v, err
	}
	f.answering(request.GetRevision())
	if request.GetUs() == nil {
		f.refuse("us", "FIELD_REQUIRED", "Give what the donor wants to know: set us.")
		return v, f.err()
	}
	filled := portingForm(request.GetUs())
	// By the clock of the PIN's own day, so that a repeat is not refused for its age; now is
	// asked below.
	day, _ := time.Parse(time.DateOnly, filled.PINMakeDate)
	info, violations := mobile.NewPortingInfo(filled, day)
	f.violations = append(f.violations, violations...)
	v.Said, v.fields = info, append(v.fields, said(info)...)
	v.check = func(context.Context, *store.Store) error {
		if _, violations := mobile.NewPortingInfo(filled, r.now()); len(violations) > 0 {
			return fault.InvalidFields(violations)
		}
		return nil
	}
	return v, f.err()
}

// portingForm is the form as it was filled in.
func portingForm(us *dialtonev1.UsPortingInfo) mobile.PortingForm {
	return mobile.PortingForm{
		AccountNumber: us.GetAccountNumber(), PIN: us.GetPin(), AccountZIP: us.GetAccountZip(),
		FirstName: us.GetFirstName(), LastName: us.GetLastName(), AddressLine: us.GetAddressLine(),
		City: us.GetCity(), Region: us.GetRegion(), NumberInService: us.NumberInService,
		PINMakeDate: us.GetPinMakeDate(), AcceptsLineLosses: us.GetAcceptsLineLosses(),
	}
}

// said gives the normal form in a fixed order, for the digest by which a repeated request is
// recognised: no more of it is kept there. Adding a field adds it at the end.
func said(info mobile.PortingInfo) []string {
	inService := ""
	if info.NumberInService != nil {
		inService = strconv.FormatBool(*info.NumberInService)
	}
	return []string{
		info.AccountNumber, info.PIN, string(info.AccountZIP), info.FirstName, info.LastName, info.AddressLine, info.City,
		info.Region, inService, info.PINMakeDate, strconv.FormatBool(info.AcceptsLineLosses),
	}
}
