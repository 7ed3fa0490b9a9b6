package esimtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/dialtone/dialtone/internal/mobile"
)

// assignedMax bounds one delivery.
const assignedMax = 10_000

// Assign gives count profiles of a type to the caller: each is from now on taken by an order
// with its ICCID only. It fails for a type that it does not know or may not give, and for a
// count that is not between 1 and 10,000.
func (s *Server) Assign(profileType string, count int) ([]mobile.ICCID, error) {
	switch profileType {
	case "", TypeUnknown, TypeNotAllowed:
		return nil, fmt.Errorf("profiles of type %q cannot be assigned", profileType)
	}
	if count < 1 || count > assignedMax {
		return nil, fmt.Errorf("between 1 and %d profiles can be assigned at once", assignedMax)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	given := make(map[mobile.ICCID]bool, count)
	var f facts
	var iccids []mobile.ICCID
	for len(iccids) < count {
		iccid := s.state.draw()
		if given[iccid] {
			continue
		}
		given[iccid] = true
		iccids = append(iccids, iccid)
		f.Assigned = append(f.Assigned, Profile{ICCID: iccid, ProfileType: profileType, State: Available, Assigned: true})
	}
	if err := s.write("assign", request{}, f); err != nil {
		return nil, err
	}
	return iccids, nil
}

// assign does it for people and checks, and answers a file of ICCIDs.
func (s *Server) assign(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		ProfileType string `json:"profile_type"`
		Count       int    `json:"count"`
	}
	if !read(w, r, &wish) {
		return
	}
	iccids, err := s.Assign(wish.ProfileType, wish.Count)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var file strings.Builder
	for _, iccid := range iccids {
		file.WriteString(padded(iccid) + "\n")
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, file.String())
}
