package esimtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// failure is one way in which a phone fails to install.
type failure struct {
	point  int // the notificationPointId at which it fails
	code   refusal
	reason int // the eUICC's errorReason, at the installation
	after  State
}

// failures are what ?fail= may say. The two that can be tried again leave the profile
// released (SGP.22 §3.1.3).
var failures = map[string]failure{
	"memory":      {point: 4, code: installationError, reason: 10, after: Released},
	"interrupted": {point: 4, code: installationError, reason: 11, after: Released},
	"broken":      {point: 4, code: installationError, reason: 12, after: Errored},
	"eligibility": {point: 1, code: notEligible, after: Errored},
}

// install plays a phone that scans the code.
func (s *Server) install(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		ActivationCode string `json:"activation_code"`
		ICCID          string `json:"iccid"`
	}
	if !read(w, r, &wish) {
		return
	}
	fail := r.URL.Query().Get("fail")
	failing, known := failures[fail]
	if fail != "" && !known {
		http.Error(w, "fail is one of memory, interrupted, broken, eligibility", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, found := s.scan(wish.ActivationCode, wish.ICCID)
	switch {
	case !found:
		http.Error(w, "no order has this activation code or ICCID", http.StatusNotFound)
		return
	case p.State != Released:
		http.Error(w, "the profile is "+string(p.State)+" and cannot be downloaded", http.StatusConflict)
		return
	}
	if err := s.walk(&p, failing); err != nil {
		http.Error(w, "the journal cannot be written", http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, p)
}

// scan finds the profile of a code. The address in it must be ours, as the phone would
// otherwise have gone elsewhere.
func (s *Server) scan(code, iccid string) (Profile, bool) {
	if code != "" {
		lpa, err := mobile.ParseActivationCode(code)
		if err != nil || s.config.SMDPAddress != "" && !strings.EqualFold(lpa.Address(), s.config.SMDPAddress) {
			return Profile{}, false
		}
		return s.state.matching(lpa.MatchingID())
	}
	id, err := mobile.ParseICCID(iccid)
	if err != nil {
		return Profile{}, false
	}
	p, touched := s.state.profiles[id]
	return p, touched
}

// walk goes through download and installation, to its end or to the failure.
func (s *Server) walk(p *Profile, failing failure) error {
	if failing.point != 1 {
		p.State = Downloaded
		if err := s.write("profile_downloaded", request{}, facts{Profile: p}); err != nil {
			return err
		}
	}
	if failing.point == 0 {
		p.State = Installed
		return s.write("profile_installed", request{}, facts{Profile: p})
	}
	p.State = failing.after
	return s.write("install_failed", request{}, facts{
		Profile: p, Code: string(failing.code), ErrorReason: failing.reason,
	})
}

// notification is handleDownloadProgressInfo (SGP.22 §5.3.5).
type notification struct {
	Header struct {
		RequesterID string `json:"functionRequesterIdentifier"`
		CallID      string `json:"functionCallIdentifier"`
	} `json:"header"`
	EID         string    `json:"eid"`
	ICCID       string    `json:"iccid"`
	ProfileType string    `json:"profileType"`
	Timestamp   string    `json:"timestamp"`
	Point       int       `json:"notificationPointId"`
	Status      execution `json:"notificationPointStatus"`
	ResultData  string    `json:"resultData,omitempty"`
}

// notify sends what an entry has to tell. The parcel is made from the entry alone, so that
// after a restart it is the same one.
func (s *Server) notify(entry partnertest.Entry, f facts) {
	var n notification
	switch entry.Act {
	case "profile_downloaded":
		n.Point = 3
	case "profile_installed":
		n.Point = 4
	case "install_failed":
		n.Point = 4
		if f.ErrorReason == 0 {
			n.Point = 1
		}
		n.ResultData = resultData(f.ErrorReason)
	default:
		return
	}
	n.Header.RequesterID = "pretend-smdp"
	n.Header.CallID = fmt.Sprintf("progress-%d", entry.Seq)
	n.EID = phoneEID
	n.ICCID = padded(f.Profile.ICCID)
	n.ProfileType = f.Profile.ProfileType
	n.Timestamp = entry.At.Format(time.RFC3339)
	n.Status = refusal(f.Code).execution()
	body, err := json.Marshal(n)
	if err != nil {
		panic("esimtest: a notification has no JSON form: " + err.Error())
	}
	s.courier.Deliver(partnertest.Parcel{ID: n.Header.CallID, Reference: string(f.Profile.ICCID), Body: body})
}

// phoneEID is the eUICC of the phone that it plays, with its check digits (SGP.02 §2.2.2).
const phoneEID = "89049032000000000000000000000163"

// resultData is the eUICC's ProfileInstallationResult (SGP.22 §2.5.6) with that
// errorReason, without the parts that nobody here reads; empty when there is none.
func resultData(reason int) string {
	if reason == 0 {
		return ""
	}
	wrap := func(value []byte, tag ...byte) []byte { return append(append(tag, byte(len(value))), value...) }
	failed := wrap([]byte{0x80, 1, 5, 0x81, 1, byte(reason)}, 0xA1) // loadProfileElements failed
	data := append([]byte{0x80, 4, 0, 1, 2, 3}, wrap(failed, 0xA2)...)
	return base64.StdEncoding.EncodeToString(wrap(wrap(data, 0xBF, 0x27), 0xBF, 0x37))
}
