package mobile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PINMade is when the PIN's time began, given when it was first handed in: at the start of
// the day on which the donor gave it out, where the customer has told that day, else when we
// got it. The start of the day in UTC is the cautious reading: it comes hours before that day
// begins in any state, so that we take a PIN for lapsed too soon rather than send one that
// the donor refuses, of which three are one too many.
func (p PortingInfo) PINMade(submitted time.Time) time.Time {
	day, err := time.Parse(time.DateOnly, p.PINMakeDate)
	if err != nil || day.After(submitted) {
		return submitted
	}
	return day
}

// Merge lays what is given now over what is held: empty fields keep what is held. The day of
// a PIN belongs to that PIN, so that another PIN without a day has none. That other services
// on the line may end stays accepted.
func (p PortingInfo) Merge(over PortingInfo) PortingInfo {
	merged := PortingInfo{
		AccountNumber:     cmp.Or(over.AccountNumber, p.AccountNumber),
		PIN:               cmp.Or(over.PIN, p.PIN),
		AccountZIP:        cmp.Or(over.AccountZIP, p.AccountZIP),
		FirstName:         cmp.Or(over.FirstName, p.FirstName),
		LastName:          cmp.Or(over.LastName, p.LastName),
		AddressLine:       cmp.Or(over.AddressLine, p.AddressLine),
		City:              cmp.Or(over.City, p.City),
		Region:            cmp.Or(over.Region, p.Region),
		NumberInService:   p.NumberInService,
		PINMakeDate:       cmp.Or(over.PINMakeDate, p.PINMakeDate),
		AcceptsLineLosses: p.AcceptsLineLosses || over.AcceptsLineLosses,
	}
	if over.PIN != "" && over.PIN != p.PIN {
		merged.PINMakeDate = over.PINMakeDate
	}
	if over.NumberInService != nil {
		merged.NumberInService = new(*over.NumberInService)
	}
	return merged
}

// Has tells whether a field was given. A no to "is it in service" was; that other services
// may end counts as given once it is accepted.
func (p PortingInfo) Has(field PortingField) bool { return p.Value(field) != "" }

// Missing lists what of the required fields was not given, in the order of a form. The day of
// the PIN is asked for but never missing: without it the PIN's time begins when we get it.
func (p PortingInfo) Missing(required []PortingField) []PortingField {
	var missing []PortingField
	for _, field := range PortingFields() {
		if field != FieldPINMakeDate && slices.Contains(required, field) && !p.Has(field) {
			missing = append(missing, field)
		}
	}
	return missing
}

// Value is a field's value for comparison, of which the store makes a keyed digest; empty
// when it was not given. Two values that the donor would read as the same are the same: an
// account number with or without dashes, a name in capitals, a ZIP code with its last four.
// A PIN is compared as it is, since its case may be what was wrong.
func (p PortingInfo) Value(field PortingField) string {
	switch field {
	case FieldNumberInService:
		if p.NumberInService == nil {
			return ""
		}
		return fmt.Sprint(*p.NumberInService)
	case FieldFirstName:
		return strings.ToLower(p.FirstName)
	case FieldLastName:
		return strings.ToLower(p.LastName)
	case FieldAddressLine:
		return strings.ToLower(p.AddressLine)
	case FieldCity:
		return strings.ToLower(p.City)
	case FieldRegion:
		return p.Region
	case FieldAccountZIP:
		return p.AccountZIP.Five()
	case FieldAccountNumber:
		return canonicalAccount(p.AccountNumber)
	case FieldAcceptsLineLosses:
		if !p.AcceptsLineLosses {
			return ""
		}
		return "true"
	case FieldPIN:
		return p.PIN
	case FieldPINMakeDate:
		return p.PINMakeDate
	}
	return ""
}

// canonicalAccount is an account number without its dashes and in capitals; one of nothing
// but dashes stays.
func canonicalAccount(number string) string {
	if bare := strings.ToUpper(strings.ReplaceAll(number, "-", "")); bare != "" {
		return bare
	}
	return number
}

// Masked shows as much of a field as its owner needs to recognise it: "***4321" of an account
// number, "A•••" of a name. It is empty when nothing was given, and for the PIN always.
func (p PortingInfo) Masked(field PortingField) string {
	if !p.Has(field) {
		return ""
	}
	switch field {
	case FieldNumberInService:
		if *p.NumberInService {
			return "yes"
		}
		return "no"
	case FieldFirstName:
		return MaskName(p.FirstName)
	case FieldLastName:
		return MaskName(p.LastName)
	case FieldAddressLine:
		return MaskName(p.AddressLine)
	case FieldCity:
		return MaskName(p.City)
	case FieldRegion:
		return MaskName(p.Region)
	case FieldAccountZIP:
		return "***" + p.AccountZIP.Five()[3:]
	case FieldAccountNumber:
		return maskAccount(p.AccountNumber)
	case FieldAcceptsLineLosses:
		return "yes"
	case FieldPIN:
	case FieldPINMakeDate:
		return p.PINMakeDate
	}
	return ""
}

// maskAccount shows the last four characters, of a short number fewer: never more than half.
func maskAccount(number string) string {
	shown := min(4, len(number)/2)
	return "***" + number[len(number)-shown:]
}

// Masks are the masks of all fields that were given, for PortFacts.Held. The PIN's is there
// and empty.
func (p PortingInfo) Masks() map[PortingField]string {
	masks := make(map[PortingField]string)
	for _, field := range PortingFields() {
		if p.Has(field) {
			masks[field] = p.Masked(field)
		}
	}
	return masks
}

// Unchanged tells whether what is given now would be refused again for this reason: no field
// that the reason is about has a value which none of the refused sets had there. Donors lock
// numbers after repeated wrong details (domain.md §2.2), so that such a set is not sent.
// Values are compared as given, so that digests of PortingInfo.Value serve; a field that is
// missing has none. A reason that is about no field is about all that goes to the donor. What
// does not go there proves nothing: a PIN is not new because its day is. Where nothing was
// refused before, nothing is unchanged.
func Unchanged(r PortReason, now map[PortingField]string, refused []map[PortingField]string) bool {
	if len(refused) == 0 {
		return false
	}
	about := r.Fields()
	if len(about) == 0 {
		about = identityFields
	}
	return !slices.ContainsFunc(about, func(field PortingField) bool {
		value := now[field]
		return value != "" && goesToDonor(field) &&
			!slices.ContainsFunc(refused, func(set map[PortingField]string) bool { return set[field] == value })
	})
}

func goesToDonor(field PortingField) bool { return slices.Contains(identityFields, field) }
