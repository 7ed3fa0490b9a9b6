package esimtest

import (
	"net/http"
	"regexp"

	"github.com/dialtone/dialtone/internal/mobile"
)

// The profile types with a meaning.
const (
	TypeUnknown    = "NO_SUCH_TYPE"
	TypeNotAllowed = "NOT_ALLOWED"
	TypeOutOfStock = "OUT_OF_STOCK"
)

// downloadOrder takes a profile (SGP.22 §5.3.1).
func (s *Server) downloadOrder(message request) (reply, refusal, error) {
	p, code := s.choose(message)
	if code != "" {
		return reply{}, code, nil
	}
	p.State, p.CallID, p.EID = Allocated, message.Header.CallID, message.EID
	if p.EID != "" {
		p.State = Linked
	}
	f := facts{Profile: &p}
	if !p.Assigned {
		f.ProfileType, f.Stock = p.ProfileType, -1
	}
	if err := s.write("download_order", message, f); err != nil {
		return reply{}, "", err
	}
	return reply{ICCID: padded(p.ICCID)}, "", nil
}

// choose finds the profile that the order is for.
func (s *Server) choose(message request) (Profile, refusal) {
	switch message.ProfileType {
	case TypeUnknown:
		return Profile{}, typeUnknown
	case TypeNotAllowed:
		return Profile{}, typeNotAllowed
	}
	if message.ICCID != "" {
		return s.chooseNamed(message)
	}
	switch {
	case s.outOf(message.ProfileType):
		return Profile{}, typeOutOfStock
	case message.ProfileType == "":
		return Profile{}, parameterMissing
	}
	return Profile{ICCID: s.state.draw(), ProfileType: message.ProfileType}, ""
}

// chooseNamed finds the profile with the ICCID of the order. One that was assigned has a type,
// and is kept for whom it was assigned to, whatever is left of that type.
func (s *Server) chooseNamed(message request) (Profile, refusal) {
	p, code := s.find(message)
	switch {
	case code != "":
		return Profile{}, code
	case p.State != Available:
		return Profile{}, iccidInUse
	case p.Assigned && message.ProfileType != "" && message.ProfileType != p.ProfileType:
		return Profile{}, otherType
	case !p.Assigned && s.outOf(message.ProfileType):
		return Profile{}, typeOutOfStock
	case message.ProfileType != "":
		p.ProfileType = message.ProfileType
	}
	return p, ""
}

func (s *Server) outOf(profileType string) bool {
	left, limited := s.state.stock[profileType]
	return limited && left < 1
}

// find reads the ICCID of a message, with or without padding.
func (s *Server) find(message request) (Profile, refusal) {
	if message.ICCID == "" {
		return Profile{}, parameterMissing
	}
	iccid, err := mobile.ParseICCID(message.ICCID)
	if err != nil {
		return Profile{}, parameterBad
	}
	p, known := s.state.stocked(iccid)
	if !known {
		return Profile{}, iccidUnknown
	}
	return p, ""
}

// padded writes an ICCID as many SM-DP+ do.
func padded(iccid mobile.ICCID) string {
	if len(iccid) == 19 {
		return string(iccid) + "F"
	}
	return string(iccid)
}

var matchingIDForm = regexp.MustCompile(`^[-0-9A-Z]{1,255}$`)

// confirmOrder ties a profile to a matching id (SGP.22 §5.3.2).
func (s *Server) confirmOrder(message request) (reply, refusal, error) {
	p, code := s.find(message)
	if code != "" {
		return reply{}, code, nil
	}
	if message.ReleaseFlag == nil {
		return reply{}, parameterMissing, nil
	}
	if !matchingIDForm.MatchString(message.MatchingID) {
		return reply{}, parameterBad, nil // one drawn by the SM-DP+ is allowed, and not pretended here
	}
	if _, taken := s.state.matching(message.MatchingID); taken {
		return reply{}, matchingIDInUse, nil // also by this very order, which the caller repeats
	}
	switch p.State {
	case Allocated, Linked:
	case Confirmed, Released:
		return reply{}, otherMatchingID, nil
	default:
		return reply{}, iccidInUse, nil
	}
	p.State, p.MatchingID = Confirmed, message.MatchingID
	if *message.ReleaseFlag {
		p.State = Released
	}
	if err := s.write("confirm_order", message, facts{Profile: &p}); err != nil {
		return reply{}, "", err
	}
	return reply{ICCID: padded(p.ICCID), MatchingID: p.MatchingID, SMDPAddress: s.config.SMDPAddress}, "", nil
}

// releaseProfile makes a confirmed profile downloadable (SGP.22 §5.3.4).
func (s *Server) releaseProfile(message request) (reply, refusal, error) {
	p, code := s.find(message)
	if code == "" && p.State != Confirmed {
		code = notReleasable
	}
	if code != "" {
		return reply{}, code, nil
	}
	p.State = Released
	return reply{}, "", s.write("release_profile", message, facts{Profile: &p})
}

// cancelOrder ends an order whose profile was not downloaded (SGP.22 §5.3.3).
func (s *Server) cancelOrder(message request) (reply, refusal, error) {
	p, code := s.find(message)
	if code != "" {
		return reply{}, code, nil
	}
	var f facts
	switch State(message.Final) {
	case Available:
		if !p.Assigned {
			f.ProfileType, f.Stock = p.ProfileType, 1
		}
	case Unavailable:
	case "":
		return reply{}, parameterMissing, nil
	default:
		return reply{}, parameterBad, nil
	}
	switch {
	case message.MatchingID != "" && message.MatchingID != p.MatchingID:
		return reply{}, otherMatchingID, nil
	case p.State == Available:
		return reply{}, iccidUnknown, nil // no order knows it
	case p.State == Downloaded || p.State == Installed || p.State == Errored:
		return reply{}, iccidInUse, nil
	}
	p = Profile{ICCID: p.ICCID, ProfileType: p.ProfileType, State: State(message.Final), Assigned: p.Assigned}
	f.Profile = &p
	return reply{}, "", s.write("cancel_order", message, f)
}

// restock fills up a type that can run out.
func (s *Server) restock(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		ProfileType string `json:"profile_type"`
		Count       int    `json:"count"`
	}
	if !read(w, r, &wish) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, limited := s.state.stock[wish.ProfileType]; !limited || wish.Count < 1 {
		http.Error(w, "only "+TypeOutOfStock+" can be restocked, by 1 or more", http.StatusBadRequest)
		return
	}
	if err := s.write("restock", request{}, facts{ProfileType: wish.ProfileType, Stock: wish.Count}); err != nil {
		http.Error(w, "the journal cannot be written", http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, map[string]int{"left": s.state.stock[wish.ProfileType]})
}
