package carriertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// The bodies of requests.
type (
	deviceCheck struct {
		IMEI    string `json:"imei"`
		ZIPCode string `json:"zip_code"`
	}
	order struct {
		ExternalID   string `json:"external_id"`
		ICCID        string `json:"iccid"`
		IMEI         string `json:"imei"`
		ZIPCode      string `json:"zip_code"`
		Plan         string `json:"plan"`
		CustomerName string `json:"customer_name"`
	}
	simChange struct {
		ICCID string `json:"iccid"`
		IMEI  string `json:"imei"`
	}
)

func (s *Server) deviceCheck(w http.ResponseWriter, r *http.Request) {
	var asked deviceCheck
	if !read(w, r, &asked) {
		return
	}
	if !imeiForm.MatchString(asked.IMEI) || !zipForm.MatchString(asked.ZIPCode) {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return
	}
	s.enter()
	defer s.mu.Unlock()
	code := checkDevice(asked.IMEI, asked.ZIPCode)
	err := s.write(partnertest.Entry{
		At: s.now(), Act: ActDeviceCheck,
		Data: map[string]any{"imei": asked.IMEI, "zip_code": asked.ZIPCode, "code": code},
	})
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError, "JOURNAL_BROKEN")
	case code != "":
		refuse(w, http.StatusUnprocessableEntity, code)
	default:
		reply(w, http.StatusOK, map[string]bool{"eligible": true})
	}
}

func (s *Server) activateLine(w http.ResponseWriter, r *http.Request) {
	var o order
	if !read(w, r, &o) {
		return
	}
	if !externalIDForm.MatchString(o.ExternalID) || !imeiForm.MatchString(o.IMEI) || !iccidForm.MatchString(o.ICCID) ||
		!zipForm.MatchString(o.ZIPCode) || !planForm.MatchString(o.Plan) || len(o.CustomerName) > customerNameMax {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return
	}
	s.enter()
	defer s.mu.Unlock()
	t := turn{w: w, act: ActActivateLine, key: r.Header.Get("Idempotency-Key"), externalID: o.ExternalID, request: canonical("activate", o)}
	if !s.begin(t) {
		return
	}
	if l := s.state.lines[o.ExternalID]; l.live() {
		reply(w, http.StatusConflict, errorBody{Error: problem{Code: "LINE_EXISTS", Message: messages["LINE_EXISTS"]}, Line: &l.shownLine})
		return
	}
	if code := s.checkOrder(o); code != "" {
		s.refused(t, http.StatusUnprocessableEntity, code)
		return
	}
	l := line{
		shownLine: shownLine{ExternalID: o.ExternalID, LineID: fmt.Sprintf("ln_%06d", s.state.count+1), State: pending, ICCID: o.ICCID},
		IMEI:      o.IMEI, ZIPCode: o.ZIPCode, Plan: o.Plan, CustomerName: o.CustomerName,
		Fate: fateOf(o.IMEI, s.now().Add(s.comesUpAfter())),
	}
	if l.Fate != nil {
		s.finish(t, http.StatusAccepted, change{Line: l})
		return
	}
	l.State, l.Number = active, allot(l.ZIPCode, s.state.numbers)
	if l.Number == "" {
		refuse(w, http.StatusServiceUnavailable, "NUMBERS_EXHAUSTED")
		return
	}
	s.finish(t, http.StatusCreated, s.telling("line.active", s.now(), change{Line: l}))
}

// checkOrder adds to the rules what depends on the other lines.
func (s *Server) checkOrder(o order) string {
	code := checkOrder(o)
	if code == "" && !s.fits(o.ICCID, o.ExternalID) {
		code = "ICCID_NOT_ACCEPTED"
	}
	return code
}

// fits says whether the ICCID may be put on the line of that external id.
func (s *Server) fits(iccid, externalID string) bool {
	holder := s.state.iccids[iccid]
	return loaded(iccid) && (holder == "" || holder == externalID)
}

func (s *Server) readLine(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.mu.Unlock()
	l, known := s.state.lines[r.PathValue("external_id")]
	if !known {
		refuse(w, http.StatusNotFound, "LINE_NOT_FOUND")
		return
	}
	reply(w, http.StatusOK, l.shownLine)
}

func (s *Server) changeSIM(w http.ResponseWriter, r *http.Request) {
	var asked simChange
	if !read(w, r, &asked) {
		return
	}
	if !imeiForm.MatchString(asked.IMEI) || !iccidForm.MatchString(asked.ICCID) {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return
	}
	externalID := r.PathValue("external_id")
	s.enter()
	defer s.mu.Unlock()
	t := turn{w: w, act: ActChangeSIM, key: r.Header.Get("Idempotency-Key"), externalID: externalID, request: canonical("sim "+externalID, asked)}
	if !s.begin(t) {
		return
	}
	l, known := s.state.lines[externalID]
	switch {
	case !known:
		s.refused(t, http.StatusNotFound, "LINE_NOT_FOUND")
	case l.State == pending:
		s.refused(t, http.StatusConflict, "LINE_PENDING")
	case l.State != active:
		s.refused(t, http.StatusConflict, "LINE_ENDED")
	case checkIMEI(asked.IMEI) != "":
		s.refused(t, http.StatusUnprocessableEntity, checkIMEI(asked.IMEI))
	case !s.fits(asked.ICCID, externalID):
		s.refused(t, http.StatusUnprocessableEntity, "ICCID_NOT_ACCEPTED")
	default:
		changed := l.ICCID != asked.ICCID
		l.ICCID, l.IMEI = asked.ICCID, asked.IMEI
		c := change{Line: l}
		if changed {
			c = s.telling("line.sim_changed", s.now(), c)
		}
		s.finish(t, http.StatusOK, c)
	}
}

func (s *Server) deactivateLine(w http.ResponseWriter, r *http.Request) {
	externalID := r.PathValue("external_id")
	s.enter()
	defer s.mu.Unlock()
	t := turn{w: w, act: ActDeactivateLine, key: r.Header.Get("Idempotency-Key"), externalID: externalID, request: "deactivate " + externalID}
	if !s.begin(t) {
		return
	}
	l, known := s.state.lines[externalID]
	if !known {
		s.refused(t, http.StatusNotFound, "LINE_NOT_FOUND")
		return
	}
	c := change{Line: l}
	if l.State != deactivated {
		c.Line.State, c.Line.Fate, c.Line.Failure = deactivated, nil, nil
		c = s.telling("line.deactivated", s.now(), c)
	}
	s.finish(t, http.StatusOK, c)
}

// turn is one write under way, with the lock held.
type turn struct {
	w               http.ResponseWriter
	act             string
	key, externalID string
	request         string // what the key stands for
}

// begin answers at once what its key decides, and says whether there is more to do.
func (s *Server) begin(t turn) bool {
	before, known := s.state.keys[t.key]
	switch {
	case t.key == "":
		refuse(t.w, http.StatusBadRequest, "IDEMPOTENCY_KEY_MISSING")
	case known && before.request != t.request:
		refuse(t.w, http.StatusConflict, "IDEMPOTENCY_KEY_REUSED")
	case known:
		reply(t.w, before.status, before.body)
	default:
		return true
	}
	return false
}

// refusal is what the journal holds of a no.
type refusal struct {
	Act     string `json:"act"`
	Code    string `json:"code"`
	Message string `json:"-"`
	// Trial is set when it was one of the refusals of a number's story.
	Trial string `json:"trial,omitempty"`
}

// refused answers no.
func (s *Server) refused(t turn, status int, code string) {
	s.refusedFor(t, status, refusal{Code: code})
}

// refusedFor answers no. It is written down for people to read; the key stays free, so that
// the same request may succeed once its reason has gone.
func (s *Server) refusedFor(t turn, status int, no refusal) {
	no.Act = t.act
	err := s.write(partnertest.Entry{
		At: s.now(), Act: ActRefused, Key: t.key, Reference: t.externalID, Data: partnertest.Facts(no),
	})
	if err != nil {
		refuse(t.w, http.StatusInternalServerError, "JOURNAL_BROKEN")
		return
	}
	s.state.spend(no.Trial)
	reply(t.w, status, errorBody{Error: problem{Code: no.Code, Message: cmp.Or(no.Message, messages[no.Code])}})
}

// finish makes it so and answers yes.
func (s *Server) finish(t turn, status int, c change) {
	c.Request, c.Status = t.request, status
	if err := s.commit(t.act, t.key, s.now(), c); err != nil {
		refuse(t.w, http.StatusInternalServerError, "JOURNAL_BROKEN")
		return
	}
	reply(t.w, status, c.Line.shownLine)
}

// canonical is the same for the same content, however it was spaced.
func canonical(act string, body any) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("carriertest: %T has no JSON form: %v", body, err))
	}
	return act + " " + string(text)
}
