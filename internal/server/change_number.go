package server

import (
	"cmp"
	"context"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// ChangeNumber takes another number to bring, or another donor of it. What was given about
// the one before is not used for it.
func (r *rpcs) ChangeNumber(ctx context.Context, request *dialtonev1.ChangeNumberRequest) (*dialtonev1.ChangeNumberResponse, error) {
	v, err := readOtherNumber(ctx, request)
	if err != nil {
		return nil, err
	}
	a, err := r.say(ctx, v)
	if err != nil {
		return nil, err
	}
	return &dialtonev1.ChangeNumberResponse{Verdict: a.verdict, Message: a.message, Prompt: a.prompt}, nil
}

func readOtherNumber(ctx context.Context, request *dialtonev1.ChangeNumberRequest) (saying, error) {
	var f form
	v, err := f.saying(ctx, "ChangeNumber", mobile.ActChangeNumber, request)
	if err != nil {
		return v, err
	}
	f.answering(request.GetRevision())
	number, donor := strings.TrimSpace(request.GetPortPhoneNumber()), strings.TrimSpace(request.GetPortCarrier())
	if number == "" && donor == "" {
		f.refuse("port_phone_number", "FIELD_REQUIRED", "Give the other number, its provider, or both.")
	}
	if number != "" {
		e164, violation := mobile.ParsePortNumber(number)
		f.take("port_phone_number", violation)
		v.Number = e164
	}
	if donor != "" {
		v.Donor = f.provider("port_carrier", donor)
	}
	v.fields = append(v.fields, v.Number, string(v.Donor))
	v.check = v.another
	return v, f.err()
}

// provider finds the company that a number leaves, as its customer calls it.
func (f *form) provider(field, s string) mobile.DonorCode {
	donor, known := mobile.FindDonor(s)
	if !known {
		f.refuse(field, "DONOR_UNKNOWN", "We do not know a provider by this name. Choose it from the list; or choose other, for one that is not there.")
	}
	return donor.Code
}

// another refuses what is being brought already, since it would only be refused again; and a
// number that is on a line of the tenant's: it has nowhere to come from.
func (v saying) another(ctx context.Context, s *store.Store) error {
	port, err := s.Port(ctx, v.Activation)
	if err != nil {
		return withActivation(err, v.Activation)
	}
	if !port.Prompt.Open() || port.Prompt.Revision != v.Revision {
		return nil
	}
	var f form
	ours, err := ours(ctx, s, v.tenant, v.Number)
	switch {
	case err != nil:
		return err
	case ours:
		f.refuse("port_phone_number", string(mobile.PortSameNetwork), "This number is on a line of ours already, so that it cannot be brought in. Check the digits.")
	case cmp.Or(v.Number, port.Number) == port.Number && cmp.Or(v.Donor, port.Donor) == port.Donor:
		f.refuse("port_phone_number", "NUMBER_NOT_ANOTHER", "This is the number, and the provider, that we know already. Give another one.")
	}
	return f.err()
}

func ours(ctx context.Context, s *store.Store, tenant mobile.TenantID, number string) (bool, error) {
	if number == "" {
		return false, nil
	}
	return s.HasLiveLine(ctx, tenant, number)
}
