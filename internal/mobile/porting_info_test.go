package mobile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dialtone/dialtone/internal/mobile"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func TestNewPortingInfo_NormalForm(t *testing.T) {
	t.Parallel()

	info, violations := mobile.NewPortingInfo(mobile.PortingForm{
		AccountNumber: " 2875–1234 5678 ", PIN: " 00 43 21 ", AccountZIP: " 100011234 ", FirstName: "  Jose\u0301 ", LastName: "O'Brien  Smith",
		AddressLine: "12 Main St", City: "St. Louis", Region: " ny ", PINMakeDate: "2026-03-09", NumberInService: new(true), AcceptsLineLosses: true,
	}, noon)

	if violations != nil {
		t.Fatal(violations)
	}
	want := mobile.PortingInfo{
		AccountNumber: "2875-12345678", PIN: "004321", AccountZIP: "10001-1234", FirstName: "José", LastName: "O'Brien Smith",
		AddressLine: "12 Main St", City: "St. Louis", Region: "NY", PINMakeDate: "2026-03-09", NumberInService: new(true), AcceptsLineLosses: true,
	}
	got, wanted := string(marshal(t, info)), string(marshal(t, want))
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewPortingInfo_Accepts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form mobile.PortingForm
		want mobile.PortingInfo
	}{
		"Nothing":            {mobile.PortingForm{}, mobile.PortingInfo{}},
		"Blanks":             {mobile.PortingForm{AccountNumber: "  ", PIN: " ", AccountZIP: " ", FirstName: "\u00a0", Region: " "}, mobile.PortingInfo{}},
		"PIN/LeadingZeros":   {mobile.PortingForm{PIN: "0000"}, mobile.PortingInfo{PIN: "0000"}},
		"PIN/Letters":        {mobile.PortingForm{PIN: "aB3!x"}, mobile.PortingInfo{PIN: "aB3!x"}},
		"PIN/FullWidth":      {mobile.PortingForm{PIN: "１２３４５６"}, mobile.PortingInfo{PIN: "123456"}},
		"PIN/One":            {mobile.PortingForm{PIN: "1"}, mobile.PortingInfo{PIN: "1"}},
		"PIN/Twenty":         {mobile.PortingForm{PIN: strings.Repeat("7", 20)}, mobile.PortingInfo{PIN: strings.Repeat("7", 20)}},
		"PIN/NoBreakSpace":   {mobile.PortingForm{PIN: "12\u00a034\u202f56"}, mobile.PortingInfo{PIN: "123456"}},
		"Account/Dashes":     {mobile.PortingForm{AccountNumber: "123456789-00001"}, mobile.PortingInfo{AccountNumber: "123456789-00001"}},
		"Account/Thirty":     {mobile.PortingForm{AccountNumber: strings.Repeat("9", 30)}, mobile.PortingInfo{AccountNumber: strings.Repeat("9", 30)}},
		"Account/FullWidth":  {mobile.PortingForm{AccountNumber: "１２３－４"}, mobile.PortingInfo{AccountNumber: "123-4"}},
		"ZIP/Military":       {mobile.PortingForm{AccountZIP: "09012"}, mobile.PortingInfo{AccountZIP: "09012"}},
		"ZIP/MilitaryFull":   {mobile.PortingForm{AccountZIP: "090121234"}, mobile.PortingInfo{AccountZIP: "09012-1234"}},
		"Region/Territory":   {mobile.PortingForm{Region: "mp"}, mobile.PortingInfo{Region: "MP"}},
		"Region/Military":    {mobile.PortingForm{Region: "AE"}, mobile.PortingInfo{Region: "AE"}},
		"MakeDate/Today":     {mobile.PortingForm{PINMakeDate: "2026-03-10"}, mobile.PortingInfo{PINMakeDate: "2026-03-10"}},
		"MakeDate/AYearAgo":  {mobile.PortingForm{PINMakeDate: "2025-03-10"}, mobile.PortingInfo{PINMakeDate: "2025-03-10"}},
		"InService/No":       {mobile.PortingForm{NumberInService: new(false)}, mobile.PortingInfo{NumberInService: new(false)}},
		"Name/Persian":       {mobile.PortingForm{FirstName: "می\u200cخواهم"}, mobile.PortingInfo{FirstName: "می\u200cخواهم"}},
		"Address/ManyBlanks": {mobile.PortingForm{AddressLine: "12   Main  St #3"}, mobile.PortingInfo{AddressLine: "12 Main St #3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info, violations := mobile.NewPortingInfo(c.form, noon)
			if diff := cmp.Diff(string(marshal(t, c.want)), string(marshal(t, info))); diff != "" || violations != nil {
				t.Error(violations, diff)
			}
		})
	}
}

func TestNewPortingInfo_Refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form          mobile.PortingForm
		field, reason string
	}{
		"PIN/Long":            {mobile.PortingForm{PIN: strings.Repeat("1", 64)}, "pin", "PIN_NOT_VALID"},
		"PIN/TwentyOne":       {mobile.PortingForm{PIN: strings.Repeat("1", 21)}, "pin", "PIN_NOT_VALID"},
		"PIN/LineBreak":       {mobile.PortingForm{PIN: "1234\n"}, "pin", "FIELD_CONTROL_CHARACTER"},
		"PIN/Tab":             {mobile.PortingForm{PIN: "12\t34"}, "pin", "FIELD_CONTROL_CHARACTER"},
		"PIN/NUL":             {mobile.PortingForm{PIN: "12\x0034"}, "pin", "FIELD_CONTROL_CHARACTER"},
		"PIN/ZeroWidth":       {mobile.PortingForm{PIN: "12\u200b34"}, "pin", "FIELD_INVISIBLE_CHARACTER"},
		"PIN/Joiner":          {mobile.PortingForm{PIN: "12\u200d34"}, "pin", "PIN_NOT_VALID"},
		"PIN/ArabicDigits":    {mobile.PortingForm{PIN: "١٢٣٤"}, "pin", "PIN_NOT_VALID"},
		"PIN/Umlaut":          {mobile.PortingForm{PIN: "übung"}, "pin", "PIN_NOT_VALID"},
		"PIN/NotUTF8":         {mobile.PortingForm{PIN: "\xff"}, "pin", "FIELD_NOT_UTF8"},
		"Account/Long":        {mobile.PortingForm{AccountNumber: strings.Repeat("1", 31)}, "account_number", "ACCOUNT_NUMBER_NOT_VALID"},
		"Account/Words":       {mobile.PortingForm{AccountNumber: "конто"}, "account_number", "ACCOUNT_NUMBER_NOT_VALID"},
		"Account/LineBreak":   {mobile.PortingForm{AccountNumber: "12\r\n34"}, "account_number", "FIELD_CONTROL_CHARACTER"},
		"ZIP/Letters":         {mobile.PortingForm{AccountZIP: "ABCDE"}, "account_zip", "ZIP_NOT_VALID"},
		"ZIP/NoState":         {mobile.PortingForm{AccountZIP: "00000"}, "account_zip", "ZIP_NOT_IN_A_STATE"},
		"FirstName/Long":      {mobile.PortingForm{FirstName: strings.Repeat("x", 51)}, "first_name", "FIELD_TOO_LONG"},
		"FirstName/Unseen":    {mobile.PortingForm{FirstName: "---"}, "first_name", "FIELD_BLANK"},
		"LastName/RightLeft":  {mobile.PortingForm{LastName: "x\u202e"}, "last_name", "FIELD_INVISIBLE_CHARACTER"},
		"Address/Long":        {mobile.PortingForm{AddressLine: strings.Repeat("x", 101)}, "address_line", "FIELD_TOO_LONG"},
		"City/Long":           {mobile.PortingForm{City: strings.Repeat("x", 51)}, "city", "FIELD_TOO_LONG"},
		"Region/NoState":      {mobile.PortingForm{Region: "ZZ"}, "region", "REGION_NOT_VALID"},
		"Region/Province":     {mobile.PortingForm{Region: "ON"}, "region", "REGION_NOT_VALID"},
		"Region/Name":         {mobile.PortingForm{Region: "California"}, "region", "REGION_NOT_VALID"},
		"MakeDate/Tomorrow":   {mobile.PortingForm{PINMakeDate: "2026-03-11"}, "pin_make_date", "PIN_MAKE_DATE_IN_FUTURE"},
		"MakeDate/Old":        {mobile.PortingForm{PINMakeDate: "2025-03-09"}, "pin_make_date", "PIN_MAKE_DATE_TOO_OLD"},
		"MakeDate/American":   {mobile.PortingForm{PINMakeDate: "03/09/2026"}, "pin_make_date", "PIN_MAKE_DATE_NOT_VALID"},
		"MakeDate/NoSuchDay":  {mobile.PortingForm{PINMakeDate: "2026-02-30"}, "pin_make_date", "PIN_MAKE_DATE_NOT_VALID"},
		"MakeDate/WithTime":   {mobile.PortingForm{PINMakeDate: "2026-03-09T00:00:00Z"}, "pin_make_date", "PIN_MAKE_DATE_NOT_VALID"},
		"MakeDate/Year":       {mobile.PortingForm{PINMakeDate: "20260-03-09"}, "pin_make_date", "PIN_MAKE_DATE_NOT_VALID"},
		"MakeDate/FullWidth":  {mobile.PortingForm{PINMakeDate: "２０２６-03-09"}, "pin_make_date", "PIN_MAKE_DATE_NOT_VALID"},
		"MakeDate/Whitespace": {mobile.PortingForm{PINMakeDate: "2026-03-09\n"}, "pin_make_date", "PIN_MAKE_DATE_NOT_VALID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, violations := mobile.NewPortingInfo(c.form, noon)
			if len(violations) != 1 || violations[0].Field != "us."+c.field || violations[0].Reason != c.reason {
				t.Errorf("got %+v, want %s of %s", violations, c.reason, c.field)
			}
		})
	}
}

// The day is judged in UTC, whatever zone the clock is in: at nine in the evening in New York
// the next day has begun there.
func TestNewPortingInfo_MakeDateInUTC(t *testing.T) {
	t.Parallel()
	newYork := time.FixedZone("EDT", -4*60*60)
	evening := time.Date(2026, 3, 10, 21, 0, 0, 0, newYork)
	for day, want := range map[string]int{"2026-03-10": 0, "2026-03-11": 0, "2026-03-12": 1} {
		if _, violations := mobile.NewPortingInfo(mobile.PortingForm{PINMakeDate: day}, evening); len(violations) != want {
			t.Errorf("%s: %v", day, violations)
		}
	}
}

// No refusal and no print repeats what was given.
func TestPortingInfo_KeepsToItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := "canary" + rapid.StringN(0, 30, -1).Draw(t, "value")
		form := mobile.PortingForm{
			AccountNumber: value, PIN: value, AccountZIP: value, FirstName: value, LastName: value, AddressLine: value, City: value,
			Region: value, PINMakeDate: value,
		}

		info, violations := mobile.NewPortingInfo(form, noon)

		said := fmt.Sprintf("%v %+v %#v %s %d %v %+v", info, &info, info, info, info, violations, form) + info.String()
		if strings.Contains(said, "canary") {
			t.Fatal(said)
		}
	})
}

func TestPortingInfo_JSONIsWhole(t *testing.T) {
	t.Parallel()
	var back mobile.PortingInfo
	if err := json.Unmarshal(marshal(t, ada()), &back); err != nil {
		t.Fatal(err)
	}
	for _, field := range mobile.PortingFields() {
		if back.Value(field) != ada().Value(field) || !back.Has(field) {
			t.Errorf("%s did not come back", field)
		}
	}
}

// ada has answered everything.
func ada() mobile.PortingInfo {
	return mobile.PortingInfo{
		AccountNumber: "2875-4321", PIN: "004321", AccountZIP: "10001-1234", FirstName: "Ada", LastName: "Lovelace", AddressLine: "12 Main St",
		City: "New York", Region: "NY", NumberInService: new(true), PINMakeDate: "2026-03-09", AcceptsLineLosses: true,
	}
}

func TestPortingInfo_Merge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		over   mobile.PortingInfo
		change func(*mobile.PortingInfo)
	}{
		"Nothing":      {mobile.PortingInfo{}, func(*mobile.PortingInfo) {}},
		"OneField":     {mobile.PortingInfo{AccountZIP: "94105"}, func(p *mobile.PortingInfo) { p.AccountZIP = "94105" }},
		"NewPIN":       {mobile.PortingInfo{PIN: "1"}, func(p *mobile.PortingInfo) { p.PIN, p.PINMakeDate = "1", "" }},
		"SamePIN":      {mobile.PortingInfo{PIN: "004321"}, func(*mobile.PortingInfo) {}},
		"NewPINAndDay": {mobile.PortingInfo{PIN: "1", PINMakeDate: "2026-03-10"}, func(p *mobile.PortingInfo) { p.PIN, p.PINMakeDate = "1", "2026-03-10" }},
		"DayAlone":     {mobile.PortingInfo{PINMakeDate: "2026-03-10"}, func(p *mobile.PortingInfo) { p.PINMakeDate = "2026-03-10" }},
		"OutOfService": {mobile.PortingInfo{NumberInService: new(false)}, func(p *mobile.PortingInfo) { p.NumberInService = new(false) }},
		"EverythingElse": {mobile.PortingInfo{AccountNumber: "9", FirstName: "B", LastName: "C", AddressLine: "D", City: "E", Region: "TX"}, func(p *mobile.PortingInfo) {
			p.AccountNumber, p.FirstName, p.LastName, p.AddressLine, p.City, p.Region = "9", "B", "C", "D", "E", "TX"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := ada()
			c.change(&want)
			if diff := cmp.Diff(string(marshal(t, want)), string(marshal(t, ada().Merge(c.over)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPortingInfo_Missing(t *testing.T) {
	t.Parallel()
	if missing := ada().Missing(mobile.PortingFields()); missing != nil {
		t.Errorf("Ada lacks %v", missing)
	}
	none := mobile.PortingInfo{NumberInService: new(false)}
	want := []mobile.PortingField{mobile.FieldAccountZIP, mobile.FieldAccountNumber, mobile.FieldAcceptsLineLosses, mobile.FieldPIN}
	got := none.Missing([]mobile.PortingField{
		mobile.FieldPINMakeDate, mobile.FieldPIN, mobile.FieldAcceptsLineLosses, mobile.FieldAccountNumber, mobile.FieldAccountZIP, mobile.FieldNumberInService,
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPortingInfo_Masked(t *testing.T) {
	t.Parallel()
	want := map[mobile.PortingField]string{
		mobile.FieldNumberInService: "yes", mobile.FieldFirstName: "A•••", mobile.FieldLastName: "L•••", mobile.FieldAddressLine: "1••• M••• S•••",
		mobile.FieldCity: "N••• Y•••", mobile.FieldRegion: "N•••", mobile.FieldAccountZIP: "***01", mobile.FieldAccountNumber: "***4321",
		mobile.FieldAcceptsLineLosses: "yes", mobile.FieldPIN: "", mobile.FieldPINMakeDate: "2026-03-09",
	}
	if diff := cmp.Diff(want, ada().Masks()); diff != "" {
		t.Error(diff)
	}
	if masks := (mobile.PortingInfo{}).Masks(); len(masks) != 0 {
		t.Errorf("nothing is shown as %v", masks)
	}
	for number, masked := range map[string]string{"1": "***", "12": "***2", "12345": "***45", "12345678": "***5678"} {
		if got := (mobile.PortingInfo{AccountNumber: number}).Masked(mobile.FieldAccountNumber); got != masked {
			t.Errorf("%s is shown as %s", number, got)
		}
	}
}

// Whatever a donor would read as the same compares as the same, and nothing else does.
func TestPortingInfo_Value(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field mobile.PortingField
		a, b  mobile.PortingInfo
		same  bool
	}{
		{mobile.FieldAccountNumber, mobile.PortingInfo{AccountNumber: "123-45a"}, mobile.PortingInfo{AccountNumber: "12345A"}, true},
		{mobile.FieldAccountNumber, mobile.PortingInfo{AccountNumber: "0123"}, mobile.PortingInfo{AccountNumber: "123"}, false},
		{mobile.FieldPIN, mobile.PortingInfo{PIN: "0123"}, mobile.PortingInfo{PIN: "123"}, false},
		{mobile.FieldPIN, mobile.PortingInfo{PIN: "abc"}, mobile.PortingInfo{PIN: "ABC"}, false},
		{mobile.FieldAccountZIP, mobile.PortingInfo{AccountZIP: "10001-1234"}, mobile.PortingInfo{AccountZIP: "10001"}, true},
		{mobile.FieldFirstName, mobile.PortingInfo{FirstName: "ADA"}, mobile.PortingInfo{FirstName: "Ada"}, true},
		{mobile.FieldLastName, mobile.PortingInfo{LastName: "O'Brien"}, mobile.PortingInfo{LastName: "OBrien"}, false},
		{mobile.FieldAddressLine, mobile.PortingInfo{AddressLine: "12 main st"}, mobile.PortingInfo{AddressLine: "12 Main St"}, true},
		{mobile.FieldNumberInService, mobile.PortingInfo{NumberInService: new(false)}, mobile.PortingInfo{}, false},
	} {
		if same := c.a.Value(c.field) == c.b.Value(c.field); same != c.same {
			t.Errorf("%s: %q and %q", c.field, c.a.Value(c.field), c.b.Value(c.field))
		}
	}
	if (mobile.PortingInfo{AccountNumber: "--"}).Value(mobile.FieldAccountNumber) == "" {
		t.Error("dashes alone count as nothing")
	}
}

func TestPortingInfo_PINMade(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]time.Time{
		"": noon, "2026-03-09": time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), "2026-03-10": time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), "2026-03-11": noon,
	} {
		if got := (mobile.PortingInfo{PINMakeDate: day}).PINMade(noon); !got.Equal(want) {
			t.Errorf("%q: %s", day, got)
		}
	}
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	type set = map[mobile.PortingField]string
	values := func(change func(*mobile.PortingInfo)) set {
		info, all := ada(), set{}
		change(&info)
		for _, field := range mobile.PortingFields() {
			if v := info.Value(field); v != "" {
				all[field] = v
			}
		}
		return all
	}
	same := values(func(*mobile.PortingInfo) {})
	pin := values(func(p *mobile.PortingInfo) { p.PIN = "1" })
	for name, c := range map[string]struct {
		reason  mobile.PortReason
		now     set
		refused []set
		want    bool
	}{
		"NothingRefused":       {mobile.PortPINInvalid, same, nil, false},
		"Same":                 {mobile.PortPINInvalid, same, []set{same}, true},
		"NewPIN":               {mobile.PortPINInvalid, pin, []set{same}, false},
		"OtherField":           {mobile.PortZIPInvalid, pin, []set{same}, true},
		"BackToTheFirst":       {mobile.PortPINInvalid, same, []set{same, pin}, true},
		"NewDayAlone":          {mobile.PortPINInvalid, values(func(p *mobile.PortingInfo) { p.PINMakeDate = "2026-03-10" }), []set{same}, true},
		"NewDayExpired":        {mobile.PortPINExpired, values(func(p *mobile.PortingInfo) { p.PINMakeDate = "2026-03-10" }), []set{same}, true},
		"DashesAlone":          {mobile.PortAccountNumberInvalid, values(func(p *mobile.PortingInfo) { p.AccountNumber = "28754321" }), []set{same}, true},
		"OneOfSeveral":         {mobile.PortAddressInvalid, values(func(p *mobile.PortingInfo) { p.City = "Albany" }), []set{same}, false},
		"EachKnownFromAnother": {mobile.PortNameInvalid, values(func(p *mobile.PortingInfo) { p.FirstName, p.LastName = "Bea", "Lovelace" }), []set{same, values(func(p *mobile.PortingInfo) { p.FirstName, p.LastName = "Bea", "King" })}, true},
		"NotGivenBefore":       {mobile.PortNameInvalid, same, []set{values(func(p *mobile.PortingInfo) { p.FirstName, p.LastName = "", "" })}, false},
		"NotGivenNow":          {mobile.PortNameInvalid, values(func(p *mobile.PortingInfo) { p.FirstName, p.LastName = "", "" }), []set{same}, true},
		"Identity":             {mobile.PortIdentityMismatch, pin, []set{same}, false},
		"OtherReason":          {mobile.PortOther, pin, []set{same}, false},
		"OtherReasonSame":      {mobile.PortOther, same, []set{same}, true},
		"OtherReasonStatement": {mobile.PortOther, values(func(p *mobile.PortingInfo) { p.NumberInService = new(false) }), []set{same}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := mobile.Unchanged(c.reason, c.now, c.refused); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func marshal(tb testing.TB, info mobile.PortingInfo) []byte {
	tb.Helper()
	b, err := json.Marshal(info)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
