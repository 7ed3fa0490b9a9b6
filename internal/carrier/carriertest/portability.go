package carriertest

import (
	"net/http"
	"time"

	"github.com/dialtone/dialtone/internal/partnertest"
)

// portabilityCheck is the body of a check.
type portabilityCheck struct {
	Number  string `json:"number"`
	ZIPCode string `json:"zip_code"`
}

// portability is the answer to a check.
type portability struct {
	Portable       bool      `json:"portable"`
	Reason         *problem  `json:"reason,omitempty"`
	NumberType     string    `json:"number_type,omitempty"`
	Donor          string    `json:"donor,omitempty"`
	RequiredFields []string  `json:"required_fields,omitempty"`
	EarliestAt     time.Time `json:"earliest_at,omitzero"`
}

func (s *Server) portabilityCheck(w http.ResponseWriter, r *http.Request) {
	var asked portabilityCheck
	if !read(w, r, &asked) {
		return
	}
	if !numberForm.MatchString(asked.Number) || !zipForm.MatchString(asked.ZIPCode) {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST")
		return
	}
	s.enter()
	defer s.mu.Unlock()
	result := s.portability(asked.Number)
	err := s.write(partnertest.Entry{
		At: s.now(), Act: ActPortabilityCheck,
		Data: map[string]any{"number": asked.Number, "zip_code": asked.ZIPCode, "portable": result.Portable},
	})
	if err != nil {
		refuse(w, http.StatusInternalServerError, "JOURNAL_BROKEN")
		return
	}
	reply(w, http.StatusOK, result)
}

func (s *Server) portability(number string) portability {
	story := storyOf(number)
	if story.no != nil {
		return portability{Reason: story.no}
	}
	return portability{
		Portable: true, NumberType: story.numberType(), Donor: story.donor, RequiredFields: story.required(),
		EarliestAt: s.dueOf(port{shownPort: shownPort{Number: number}}, s.now().Add(s.answersAfter())),
	}
}
