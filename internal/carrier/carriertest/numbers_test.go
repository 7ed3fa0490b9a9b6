package carriertest

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestAllot(t *testing.T) {
	t.Parallel()

	t.Run("IsNearTheZIP", func(t *testing.T) {
		t.Parallel()
		for zip, want := range map[string]string{
			"10001": "+12125550100", "94105": "+14155550100", "02108-1234": "+16175550100",
			"73301": "+15125550100", "99501": "+19075550100", "96813": "+18085550100",
		} {
			if got := allot(zip, nil); got != want {
				t.Errorf("allot(%s) = %s, want %s", zip, got, want)
			}
		}
	})

	t.Run("NeverGivesANumberTwiceAndGoesFurtherOutWhenAnAreaIsUsedUp", func(t *testing.T) {
		t.Parallel()
		taken := make(map[string]bool)
		for range 901 { // Rhode Island has one area code
			number := allot("02901", taken)
			if number == "" || taken[number] {
				t.Fatalf("allotted %q after %d", number, len(taken))
			}
			taken[number] = true
		}
		if !taken["+14015550199"] {
			t.Error("the nearest area code was not used up first")
		}
	})

	t.Run("GivesOnlyFictionalNumbersThatAreValid", func(t *testing.T) {
		t.Parallel()
		numbers := make(map[string]bool)
		for _, r := range regions {
			for code := range strings.FieldsSeq(r.codes) {
				numbers[firstFree(region{codes: code}, nil)] = true
			}
		}

		for number := range numbers {
			if number[5:] != "5550100" {
				t.Errorf("%s is not the first of a fictional range", number)
			}
			parsed, err := phonenumbers.Parse(number, "")
			if err != nil || !phonenumbers.IsValidNumber(parsed) {
				t.Errorf("%s is not a valid number: %v", number, err)
			}
		}
		if len(numbers) < 300 {
			t.Errorf("there are only %d area codes", len(numbers))
		}
	})
}
