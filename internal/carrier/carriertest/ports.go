package carriertest

import (
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// The bodies of requests.
type (
	portOrder struct {
		ExternalID     string      `json:"external_id"`
		LineExternalID string      `json:"line_external_id"`
		Number         string      `json:"number"`
		Donor          string      `json:"donor"`
		ICCID          string      `json:"iccid"`
		IMEI           string      `json:"imei"`
		ZIPCode        string      `json:"zip_code"`
		Plan           string      `json:"plan"`
		CustomerName   string      `json:"customer_name"`
		Info           portingInfo `json:"info"`
	}
	supplement struct {
		Info  *portingInfo `json:"info,omitempty"`
		DueAt time.Time    `json:"due_at,omitzero"`
	}
	portingInfo struct {
		AccountNumber     string `json:"account_number,omitempty"`
		PIN               string `json:"pin,omitempty"`
		PINMakeDate       string `json:"pin_make_date,omitempty"`
		AccountZIP        string `json:"account_zip,omitempty"`
		FirstName         string `json:"first_name,omitempty"`
		LastName          string `json:"last_name,omitempty"`
		AddressLine       string `json:"address_line,omitempty"`
		City              string `json:"city,omitempty"`
		Region            string `json:"region,omitempty"`
		NumberInService   *bool  `json:"number_in_service,omitempty"`
		AcceptsLineLosses bool   `json:"accepts_line_losses,omitempty"`
	}
)

var (
	numberForm = regexp.MustCompile(`^\+1[2-9][0-9]{2}[2-9][0-9]{6}$`)
	donorForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	regionForm = regexp.MustCompile(`^[A-Z]{2}$`)
	dateForm   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

const infoMax = 120

// formed says whether the info has the form that the API documents.
func (i portingInfo) formed() bool {
	for _, text := range []string{i.AccountNumber, i.PIN, i.FirstName, i.LastName, i.AddressLine, i.City} {
		if len([]rune(text)) > infoMax {
			return false
		}
	}
	return (i.AccountZIP == "" || zipForm.MatchString(i.AccountZIP)) &&
		(i.Region == "" || regionForm.MatchString(i.Region)) &&
		(i.PINMakeDate == "" || dateForm.MatchString(i.PINMakeDate))
}

// fingerprint is what the journal keeps of it.
func (i portingInfo) fingerprint() string { return fingerprint(canonical("info", i)) }

func (o portOrder) formed() bool {
	return externalIDForm.MatchString(o.ExternalID) && externalIDForm.MatchString(o.LineExternalID) &&
		numberForm.MatchString(o.Number) && donorForm.MatchString(o.Donor) &&
		iccidForm.MatchString(o.ICCID) && imeiForm.MatchString(o.IMEI) && zipForm.MatchString(o.ZIPCode) &&
		planForm.MatchString(o.Plan) && len([]rune(o.CustomerName)) <= customerNameMax && o.Info.formed()
}

func (s *Server) submitPort(w http.ResponseWriter, r *http.Request) {
	var o portOrder
	if !read(w, r, &o) {
		return
	}
	if !o.formed() {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return
	}
	s.enter()
	defer s.mu.Unlock()
	t := turn{w: w, act: ActSubmitPort, key: r.Header.Get("Idempotency-Key"), externalID: o.ExternalID, request: fingerprint(canonical("port", o))}
	if !s.begin(t) {
		return
	}
	if p, known := s.state.ports[o.ExternalID]; known {
		reply(w, http.StatusConflict, errorBody{Error: problem{Code: "PORT_EXISTS", Message: messages["PORT_EXISTS"]}, Port: &p.shownPort})
		return
	}
	p := s.ordered(o)
	if no := s.checkPortOrder(o); no.Code != "" {
		s.refusedFor(t, http.StatusUnprocessableEntity, no)
		return
	}
	s.finishPort(t, http.StatusCreated, portChange{Port: p})
}

// ordered is the port that an order makes.
func (s *Server) ordered(o portOrder) port {
	p := port{
		shownPort: shownPort{
			ExternalID: o.ExternalID, LineExternalID: o.LineExternalID,
			PortID: fmt.Sprintf("prt_%06d", s.state.ordered+1), Number: o.Number, ICCID: o.ICCID,
		},
		Donor: o.Donor, IMEI: o.IMEI, ZIPCode: o.ZIPCode, Plan: o.Plan, CustomerName: o.CustomerName,
		Info: o.Info.fingerprint(), Revision: 1,
	}
	return s.sent(p)
}

// sent is a port that has just been sent to its donor.
func (s *Server) sent(p port) port {
	p = p.turned(submitted, s.now())
	p.DueAt = time.Time{}
	if !storyOf(p.Number).silent {
		p.Next = &portStep{At: s.now().Add(s.answersAfter()), Do: answers}
	}
	return p
}

// checkPortOrder says why an order is refused at once; the zero value: it is not.
func (s *Server) checkPortOrder(o portOrder) refusal {
	story, trial := storyOf(o.Number), o.Number+" "+o.LineExternalID
	if code := s.checkOrder(order{ExternalID: o.LineExternalID, ICCID: o.ICCID, IMEI: o.IMEI, ZIPCode: o.ZIPCode, Plan: o.Plan}); code != "" {
		return refusal{Code: code}
	}
	if story.no != nil {
		return refusal{Code: story.no.Code, Message: story.no.Message}
	}
	if s.state.open[o.Number] != "" {
		return refusal{Code: "DUPLICATE"}
	}
	if code := story.missing(o.Info); code != "" {
		return refusal{Code: code}
	}
	if no := s.takeRule(o.Number, true); no != nil {
		return refusal{Code: no.Code, Message: no.Message}
	}
	if no := story.refusal(s.state.spent[trial]); no != nil && story.atOrder {
		return refusal{Code: no.Code, Message: no.Message, Trial: trial}
	}
	return refusal{}
}

func (s *Server) supplementPort(w http.ResponseWriter, r *http.Request) {
	var asked supplement
	if !read(w, r, &asked) {
		return
	}
	if asked.Info != nil && !asked.Info.formed() {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return
	}
	externalID := r.PathValue("external_id")
	s.enter()
	defer s.mu.Unlock()
	t := turn{w: w, act: ActSupplementPort, key: r.Header.Get("Idempotency-Key"), externalID: externalID, request: fingerprint(canonical("supplement "+externalID, asked))}
	if !s.begin(t) {
		return
	}
	p, known := s.state.ports[externalID]
	story := storyOf(p.Number)
	switch {
	case !known:
		s.refused(t, http.StatusNotFound, "PORT_NOT_FOUND")
	case !p.isOpen():
		s.refused(t, http.StatusConflict, "PORT_ENDED")
	case story.noSupplements, !p.takes(asked):
		s.refused(t, http.StatusConflict, "SUPPLEMENT_NOT_ALLOWED")
	case asked.Info != nil && story.missing(*asked.Info) != "":
		s.refused(t, http.StatusUnprocessableEntity, story.missing(*asked.Info))
	default:
		p.Wish = asked.DueAt.UTC()
		if asked.Info != nil {
			p.Info, p.Revision = asked.Info.fingerprint(), p.Revision+1
		}
		s.finishPort(t, http.StatusOK, portChange{Port: s.sent(p)})
	}
}

// takes says whether a port may be changed so: in any way when the donor has refused it, and
// in its time alone when the donor has agreed.
func (p port) takes(asked supplement) bool {
	switch p.State {
	case refused:
		return true
	case confirmed:
		return asked.Info == nil || asked.Info.fingerprint() == p.Info
	default:
		return false
	}
}

func (s *Server) cancelPort(w http.ResponseWriter, r *http.Request) {
	externalID := r.PathValue("external_id")
	s.enter()
	defer s.mu.Unlock()
	t := turn{w: w, act: ActCancelPort, key: r.Header.Get("Idempotency-Key"), externalID: externalID, request: "cancel port " + externalID}
	if !s.begin(t) {
		return
	}
	p, known := s.state.ports[externalID]
	if !known {
		s.refused(t, http.StatusNotFound, "PORT_NOT_FOUND")
		return
	}
	if p.isOpen() && p.State != cancelling {
		p = p.turned(cancelling, s.now())
		p.Next = &portStep{At: s.now().Add(s.cancelsAfter(p.Number)), Do: withdraw}
	}
	s.finishPort(t, http.StatusOK, portChange{Port: p})
}

// slowCancel is what a cancel of a landline may take.
const slowCancel = 48 * time.Hour

func (s *Server) cancelsAfter(number string) time.Duration {
	if storyOf(number).slowCancel {
		return slowCancel
	}
	return s.answersAfter()
}

func (s *Server) readPort(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.mu.Unlock()
	p, known := s.state.ports[r.PathValue("external_id")]
	if !known {
		refuse(w, http.StatusNotFound, "PORT_NOT_FOUND")
		return
	}
	reply(w, http.StatusOK, p.shownPort)
}

// finishPort makes it so and answers yes.
func (s *Server) finishPort(t turn, status int, c portChange) {
	c.Request, c.Status = t.request, status
	if err := s.commitPort(t.act, t.key, s.now(), c); err != nil {
		refuse(t.w, http.StatusInternalServerError, "JOURNAL_BROKEN")
		return
	}
	reply(t.w, status, c.Port.shownPort)
}
