package esimtest

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// State is where a profile stands in its life (SGP.22 §3.1).
type State string

// The states of a profile.
const (
	Available   State = "Available"
	Allocated   State = "Allocated"
	Linked      State = "Linked"
	Confirmed   State = "Confirmed"
	Released    State = "Released"
	Downloaded  State = "Downloaded"
	Installed   State = "Installed"
	Errored     State = "Error"
	Unavailable State = "Unavailable"
)

// Profile is one eSIM profile at the pretend SM-DP+.
type Profile struct {
	ICCID       mobile.ICCID `json:"iccid"`
	ProfileType string       `json:"profile_type"`
	State       State        `json:"state"`
	EID         string       `json:"eid,omitempty"`
	// MatchingID is the order's, empty when there is none.
	MatchingID string `json:"matching_id,omitempty"`
	// CallID is the functionCallIdentifier of the order that took it.
	CallID string `json:"call_id,omitempty"`
	// Assigned tells that it is kept for orders by its ICCID.
	Assigned bool `json:"assigned,omitempty"`
}

// facts are an entry's data: the profile as it stands afterwards, and what belongs to the
// act alone.
type facts struct {
	// ICCID is as the caller wrote it, for what was refused.
	ICCID string `json:"asked_iccid,omitempty"`
	// Code is the pair of codes of what was refused or went wrong.
	Code string `json:"code,omitempty"`
	// ErrorReason is the eUICC's, for an installation that failed.
	ErrorReason int `json:"error_reason,omitempty"`
	// Stock is the change of what is left of ProfileType; orders take 1.
	ProfileType string   `json:"profile_type,omitempty"`
	Stock       int      `json:"stock,omitempty"`
	Profile     *Profile `json:"profile,omitempty"`
	// Assigned are the profiles of one delivery.
	Assigned []Profile `json:"assigned,omitempty"`
}

// state is what the journal adds up to.
type state struct {
	profiles map[mobile.ICCID]Profile
	stock    map[string]int // of the types that can run out
}

func newState() state {
	return state{profiles: make(map[mobile.ICCID]Profile), stock: map[string]int{TypeOutOfStock: 0}}
}

func (s state) sorted() []Profile {
	all := slices.AppendSeq(make([]Profile, 0, len(s.profiles)), maps.Values(s.profiles))
	slices.SortFunc(all, func(a, b Profile) int { return cmp.Compare(a.ICCID, b.ICCID) })
	return all
}

// matching finds the profile whose order has this matching id.
func (s state) matching(id string) (Profile, bool) {
	for _, p := range s.profiles {
		if id != "" && p.MatchingID == id {
			return p, true
		}
	}
	return Profile{}, false
}

// stocked gives the profile, as it is before its first order when nobody has touched it:
// every ICCID of our range is in stock.
func (s state) stocked(iccid mobile.ICCID) (Profile, bool) {
	if p, touched := s.profiles[iccid]; touched {
		return p, p.State != Unavailable
	}
	return Profile{ICCID: iccid, State: Available}, iccid[:len(iccidRange)] == iccidRange
}

// iccidRange begins all ICCIDs: telecommunication (89), North America (01).
const iccidRange = "8901"

// draw makes an ICCID that no profile has, by chance, so that two pretend partners that
// fill one database do not meet.
func (s state) draw() mobile.ICCID {
	for {
		body := fmt.Sprintf("%s%014d", iccidRange, rand.Uint64N(1e14))
		for digit := range 10 {
			iccid, err := mobile.ParseICCID(fmt.Sprintf("%s%d", body, digit))
			if _, taken := s.profiles[iccid]; err == nil && !taken {
				return iccid
			}
		}
	}
}

// write puts an act into the journal and then takes it, in this order: what is not on disk
// has not happened.
func (s *Server) write(act string, message request, f facts) error {
	entry := partnertest.Entry{
		At: s.config.Now(), Partner: Partner, Act: act, Key: message.Header.CallID, Data: partnertest.Facts(f),
	}
	if f.Profile != nil {
		entry.Reference = string(f.Profile.ICCID)
	}
	entry, err := s.config.Journal.Append(entry)
	if err != nil {
		return err
	}
	return s.take(entry)
}

// take applies an entry, a new one as well as one of an earlier life.
func (s *Server) take(entry partnertest.Entry) error {
	if entry.Partner != Partner || entry.Act == partnertest.ActDelivered {
		return nil
	}
	var f facts
	if err := entry.Into(&f); err != nil {
		return fmt.Errorf("take up the SM-DP+'s journal: %w", err)
	}
	if f.Profile != nil {
		s.state.profiles[f.Profile.ICCID] = *f.Profile
	}
	for _, p := range f.Assigned {
		s.state.profiles[p.ICCID] = p
	}
	if _, limited := s.state.stock[f.ProfileType]; limited {
		s.state.stock[f.ProfileType] += f.Stock
	}
	s.notify(entry, f)
	return nil
}
