package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// Bounds of an import.
const (
	// iccidsMax are some 44 KB of the 64 KiB that a message may have.
	iccidsMax            = 2000
	profileTypeLengthMax = 64
	sourceLengthMax      = 100
	// iccidViolationsMax leaves room for the other fields: all of them travel in a header.
	iccidViolationsMax = 24
)

// delivery is what the SM-DP+ assigned to a tenant.
type delivery struct {
	tenant      mobile.TenantID
	profileType string
	iccids      []mobile.ICCID
	source      string
}

// ImportProfiles brings eSIMs into a tenant's stock: all of them, or none when one is
// malformed.
func (r *rpcs) ImportProfiles(ctx context.Context, request *dialtonev1.ImportProfilesRequest) (*dialtonev1.ImportProfilesResponse, error) {
	d, m, err := readDelivery(access.From(ctx), request)
	if err != nil {
		return nil, err
	}
	var came store.Import
	err = r.inOwnDoor(ctx, func(s *store.Store) (err error) {
		if request.GetValidateOnly() {
			if came, err = importDelivery(ctx, s, d); err != nil {
				return err
			}
			return errTried
		}
		came, err = r.importProfiles(ctx, s, d, m)
		return err
	})
	if err != nil && !errors.Is(err, errTried) {
		return nil, err
	}
	return r.show.imported(came), nil
}

// errTried undoes an import that was only tried. What is another tenant's is known by
// meeting it, so a trial does all of it.
var errTried = errors.New("it was only tried")

// inOwnDoor runs what as one transaction of the caller's: ADMIN, whose requests are
// remembered with the installation's, comes in by the system's door.
func (r *rpcs) inOwnDoor(ctx context.Context, what func(*store.Store) error) error {
	if caller := access.From(ctx); caller.Principal != mobile.PrincipalAdmin {
		return r.db.InTenant(ctx, caller.Tenant, what)
	}
	return r.db.InSystem(ctx, what)
}

func (r *rpcs) importProfiles(ctx context.Context, s *store.Store, d delivery, m mutation) (store.Import, error) {
	_, repeated, err := r.accept(ctx, s, m)
	switch {
	case err != nil:
		return store.Import{}, err
	case repeated:
		first := store.Request{Tenant: access.From(ctx).Tenant, Method: m.method, ID: m.requestID}
		return s.RepeatedImport(ctx, first, d.tenant, d.profileType, d.iccids)
	}
	return importDelivery(ctx, s, d)
}

func importDelivery(ctx context.Context, s *store.Store, d delivery) (store.Import, error) {
	tenant, err := s.Tenant(ctx, d.tenant)
	if err != nil {
		return store.Import{}, err
	}
	if !slices.ContainsFunc(tenant.Plans, func(p mobile.Plan) bool { return p.ProfileType == d.profileType }) {
		var f form
		f.refuse("profile_type", "PROFILE_TYPE_UNKNOWN",
			"No plan of this tenant has this profile type, so nobody would take these. Check how it is written, or make the plan first.")
		return store.Import{}, f.err()
	}
	return s.ImportProfiles(ctx, d.tenant, d.profileType, d.iccids, d.source)
}

func readDelivery(caller access.Caller, request *dialtonev1.ImportProfilesRequest) (delivery, mutation, error) {
	if len(request.GetIccids()) > iccidsMax {
		return delivery{}, mutation{}, errMessageTooLarge.Saying(
			fmt.Sprintf("The list has more than %d ICCIDs. Send the others in further calls.", iccidsMax))
	}
	var f form
	tenant, err := f.tenant(caller, "tenant_id", request.GetTenantId())
	if err != nil {
		return delivery{}, mutation{}, err
	}
	d := delivery{
		tenant:      tenant,
		profileType: f.text("profile_type", request.GetProfileType(), profileTypeLengthMax),
		iccids:      f.iccids("iccids", request.GetIccids()),
	}
	if request.GetSource() != "" {
		d.source = f.text("source", request.GetSource(), sourceLengthMax)
	}
	m := mutation{
		method: "ImportProfiles", requestID: f.requestID(request.GetRequestId()), tenant: tenant,
		resource: d.profileType, person: f.actor(caller, request.GetActor()),
	}
	if err := f.err(); err != nil {
		return delivery{}, mutation{}, err
	}
	m.fields = []string{string(d.tenant), d.profileType, d.source, m.person}
	// In whatever order they come, it is the same delivery.
	for _, iccid := range slices.Sorted(slices.Values(d.iccids)) {
		m.fields = append(m.fields, string(iccid))
	}
	return d, m, nil
}

// iccids reads a list of ICCIDs, each of which may stand there once. It names the first of
// those that are wrong, and how many more there are.
func (f *form) iccids(field string, given []string) []mobile.ICCID {
	if len(given) == 0 {
		f.refuse(field, "FIELD_REQUIRED", "Give at least one ICCID.")
	}
	all := make([]mobile.ICCID, 0, len(given))
	first := make(map[mobile.ICCID]int, len(given))
	var bad form
	for i, s := range given {
		at := fmt.Sprintf("%s[%d]", field, i)
		iccid, err := mobile.ParseICCID(strings.Trim(s, " "))
		before, twice := first[iccid]
		switch {
		case err != nil:
			bad.refuse(at, "ICCID_NOT_VALID", mobile.ErrICCID.Public)
		case twice:
			bad.refuse(at, "ICCID_TWICE", fmt.Sprintf("This is the same ICCID as %s[%d].", field, before))
		default:
			first[iccid] = i
		}
		all = append(all, iccid)
	}
	f.violations = append(f.violations, bad.violations[:min(len(bad.violations), iccidViolationsMax)]...)
	if more := len(bad.violations) - iccidViolationsMax; more > 0 {
		f.refuse(field, "ICCID_NOT_VALID", fmt.Sprintf("%d more are wrong, or there twice.", more))
	}
	return all
}

// optionalICCID leaves an empty field empty.
func (f *form) optionalICCID(field, s string) mobile.ICCID {
	if s == "" {
		return ""
	}
	iccid, err := mobile.ParseICCID(strings.Trim(s, " "))
	if err != nil {
		f.refuse(field, "ICCID_NOT_VALID", mobile.ErrICCID.Public)
	}
	return iccid
}
