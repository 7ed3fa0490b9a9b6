package carriertest

import "regexp"

// portStory is how the ports of a number go; see the package comment. The zero value is
// confirmed and completed.
type portStory struct {
	kind  string // WIRELESS when empty
	donor string // looked up
	// no is why the number cannot be brought in at all.
	no *problem
	// refusals are the donor's, one for each order and supplement; then it agrees. Endless:
	// the last one is said for ever. AtOrder: the order itself is refused.
	refusals         []problem
	endless, atOrder bool

	silent        bool // never answers
	delayed       bool // answers later first
	revoked       bool // takes its first due date back
	unconfirmed   bool // moves without being confirmed
	movesAnyway   bool // although a cancel was taken
	slowCancel    bool // a cancel takes two days
	unsaid        bool // its completion is not told
	disorder      bool // every event thrice, the last first
	otherICCID    bool // its completion is told with another ICCID
	noSupplements bool
	businessDay   bool // moves on the next business day
}

// What donors and this carrier say.
var (
	donorPIN      = problem{"6B", "Transfer PIN required or incorrect."}
	donorAccount  = problem{"8A", "Account number required or incorrect."}
	donorZIP      = problem{"8D", "ZIP code required or incorrect."}
	donorLock     = problem{"6P", "Port protection is on."}
	donorName     = problem{"7C", "Name mismatch."}
	donorAddress  = problem{"ADDRESS_MISMATCH", "The service address is another one."}
	donorInactive = problem{"NUMBER_INACTIVE", "The number is not in service."}
	donorIdentity = problem{"IDENTITY_MISMATCH", "The details belong to another account."}
	donorStrange  = problem{"9Z", "Declined, see remark 41."}
	donorBarred   = problem{"7T", "The number is not eligible."}
	donorDelay    = problem{"DONOR_DELAY", "The donor answers later."}
	donorDueDate  = problem{"DUE_DATE", "The due date was revoked."}
	sameNetwork   = problem{"SAME_NETWORK", "The number is on this network already."}
	unknownNumber = problem{"NUMBER_UNKNOWN", "Nobody has this number."}
	duplicate     = problem{"DUPLICATE", "Another carrier has a port of this number open."}
)

// stories are the numbers that go another way, by their last two digits.
var stories = map[string]portStory{
	"01": {refusals: []problem{donorPIN}},
	"02": {refusals: []problem{donorAccount}},
	"03": {refusals: []problem{donorZIP}},
	"04": {refusals: []problem{donorLock}},
	"05": {refusals: []problem{donorName}},
	"06": {refusals: []problem{donorAddress}},
	"07": {refusals: []problem{donorInactive}},
	"08": {refusals: []problem{donorIdentity}},
	"09": {refusals: []problem{donorStrange}},
	"10": {no: &donorBarred},
	"11": {no: &sameNetwork},
	"12": {refusals: []problem{duplicate}, endless: true},
	"13": {refusals: []problem{donorPIN, donorPIN, donorPIN}},
	"14": {refusals: []problem{donorAccount, donorAccount, donorAccount, donorAccount, donorAccount}},
	"15": {delayed: true},
	"16": {revoked: true},
	"17": {kind: "LANDLINE", businessDay: true},
	"18": {kind: "VOIP"},
	"19": {silent: true},
	"20": {unconfirmed: true},
	"21": {movesAnyway: true},
	"22": {unsaid: true},
	"23": {disorder: true},
	"24": {donor: "verizon"},
	"25": {refusals: []problem{donorPIN}, noSupplements: true},
	"26": {refusals: []problem{donorPIN}, atOrder: true},
	"27": {no: &unknownNumber},
	"28": {otherICCID: true},
	"29": {slowCancel: true},
}

// magicForm is the fictional range of each area code.
var magicForm = regexp.MustCompile(`^\+1[2-9][0-9]{2}55501([0-9]{2})$`)

func storyOf(number string) portStory {
	match := magicForm.FindStringSubmatch(number)
	if match == nil {
		return portStory{}
	}
	return stories[match[1]]
}

// refusal gives what is said after so many refusals; nil when the donor agrees.
func (s portStory) refusal(spent int) *problem {
	if s.endless {
		spent = min(spent, len(s.refusals)-1)
	}
	if spent >= len(s.refusals) {
		return nil
	}
	return &s.refusals[spent]
}

// numberType is WIRELESS, LANDLINE or VOIP.
func (s portStory) numberType() string {
	if s.kind == "" {
		return "WIRELESS"
	}
	return s.kind
}

// requirement is a field that an order must have.
type requirement struct {
	field string
	code  string // what an order without it is refused for
	there func(portingInfo) bool
}

var (
	needAccount   = requirement{"account_number", "ACCOUNT_NUMBER_INVALID", func(i portingInfo) bool { return i.AccountNumber != "" }}
	needPIN       = requirement{"pin", "PIN_INVALID", func(i portingInfo) bool { return i.PIN != "" }}
	needZIP       = requirement{"account_zip", "ZIP_INVALID", func(i portingInfo) bool { return i.AccountZIP != "" }}
	needFirstName = requirement{"first_name", "NAME_MISMATCH", func(i portingInfo) bool { return i.FirstName != "" }}
	needLastName  = requirement{"last_name", "NAME_MISMATCH", func(i portingInfo) bool { return i.LastName != "" }}
	needAddress   = requirement{"address_line", "ADDRESS_MISMATCH", func(i portingInfo) bool { return i.AddressLine != "" }}
	needCity      = requirement{"city", "ADDRESS_MISMATCH", func(i portingInfo) bool { return i.City != "" }}
	needRegion    = requirement{"region", "ADDRESS_MISMATCH", func(i portingInfo) bool { return i.Region != "" }}
	needLosses    = requirement{"accepts_line_losses", "LINE_LOSSES_NOT_ACCEPTED", func(i portingInfo) bool { return i.AcceptsLineLosses }}
)

// requirements by number type.
var requirements = map[string][]requirement{
	"WIRELESS": {needAccount, needPIN, needZIP},
	"VOIP":     {needAccount, needPIN, needZIP, needFirstName, needLastName},
	"LANDLINE": {
		needAccount, needZIP, needFirstName, needLastName, needAddress, needCity, needRegion, needLosses,
	},
}

// required lists the fields of the number's orders.
func (s portStory) required() []string {
	var fields []string
	for _, r := range requirements[s.numberType()] {
		fields = append(fields, r.field)
	}
	return fields
}

// missing says why an order with this info is refused, or "".
func (s portStory) missing(info portingInfo) string {
	for _, r := range requirements[s.numberType()] {
		if !r.there(info) {
			return r.code
		}
	}
	return ""
}
