package mail

import (
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

// moment shows a time to the tenant's customers, as in "Tuesday, March 3 at 10:00 AM EST". It
// refuses a time that is missing and a zone that nobody knows.
func (c *checks) moment(field string, t time.Time, zone string) string {
	name := take(c, "tenant.time_zone", zone, mobile.ParseTimeZone)
	if t.IsZero() {
		c.refuse(field, "FIELD_REQUIRED", "This time is required.")
		return ""
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return "" // refused above
	}
	return momentIn(t.In(location))
}

func momentIn(t time.Time) string {
	zone, _ := t.Zone()
	if strings.ContainsAny(zone[:1], "+-") {
		zone = "UTC" + zone // a zone without letters of its own
	}
	return t.Format("Monday, January 2 at 3:04 PM ") + zone
}
