package carrier_test

import (
	"fmt"

	"github.com/dialtone/dialtone/internal/carrier/carriertest"
)

func portBody(id, line, number, iccid string) string {
	return fmt.Sprintf(`{"external_id":%q,"line_external_id":%q,"number":%q,"donor":"att","iccid":%q,"imei":"490154203237518",`+
		`"zip_code":"10001","plan":"UNLIMITED","customer_name":"Ada Example","info":%s}`, id, line, number, iccid, portInfo)
}

const (
	portChecks    = "/v1/portability-checks"
	ports         = "/v1/ports"
	onePort       = "/v1/ports/{external_id}"
	supplement    = "/v1/ports/{external_id}/supplement"
	cancel        = "/v1/ports/{external_id}/cancel"
	portInfo      = `{"account_number":"0001234567","pin":"0420","account_zip":"10001"}`
	supplementing = `{"info":` + portInfo + `,"due_at":"2026-01-01T00:00:00Z"}`
	silentNumber  = "+12125550119"
	iccid5        = "8901000000000000058"
	iccid6        = "8901000000000000066"
)

// portScenarios go on where scenarios end. The number is one whose donor never answers, and
// the clock stands still, so that nothing happens but by hand.
var portScenarios = []scenario{
	{method: "POST", path: portChecks, body: `{"number":"+12125550117","zip_code":"10001"}`, status: 200},
	{method: "POST", path: portChecks, body: `{"number":"+12125550110","zip_code":"10001"}`, status: 200},
	{method: "POST", path: portChecks, body: `{"number":"2125550117","zip_code":"10001"}`, status: 400},
	{method: "POST", path: portChecks, body: `{}`, status: 401, stranger: true},
	{method: "POST", path: portChecks, body: `{}`, status: 429, fault: 429},
	{method: "POST", path: portChecks, body: `{}`, status: 503, fault: 503},

	{method: "POST", path: ports, key: "p1", body: portBody("p1", "l5", silentNumber, iccid5), status: 201},
	{method: "POST", path: ports, key: "p2", body: portBody("p 2", "l6", silentNumber, iccid6), status: 400},
	{method: "POST", path: ports, noKeyHeader: true, body: portBody("p2", "l6", silentNumber, iccid6), status: 400},
	{method: "POST", path: ports, key: "p2", body: portBody("p2", "l6", silentNumber, iccid6), status: 401, stranger: true},
	{method: "POST", path: ports, key: "p2", body: portBody("p1", "l5", silentNumber, iccid5), status: 409},
	{method: "POST", path: ports, key: "p1", body: portBody("p2", "l6", silentNumber, iccid6), status: 409},
	{method: "POST", path: ports, key: "p2", body: portBody("p2", "l6", silentNumber, iccid6), status: 422},
	{method: "POST", path: ports, key: "p2", body: portBody("p2", "l6", "+12125550126", iccid6), status: 422},
	{method: "POST", path: ports, key: "p2", body: `{}`, status: 429, fault: 429},
	{method: "POST", path: ports, key: "p2", body: `{}`, status: 503, fault: 503},

	{method: "GET", path: onePort, id: "p1", status: 200},
	{method: "GET", path: onePort, id: "p1", status: 200, turn: carriertest.HandDelay},
	{method: "GET", path: onePort, id: "p1", status: 200, turn: carriertest.HandConfirm},
	{method: "GET", path: onePort, id: "p1", status: 401, stranger: true},
	{method: "GET", path: onePort, id: "p2", status: 404},
	{method: "GET", path: onePort, id: "p1", status: 429, fault: 429},
	{method: "GET", path: onePort, id: "p1", status: 503, fault: 503},

	{method: "POST", path: supplement, id: "p1", key: "s1", body: supplementing, status: 200, turn: carriertest.HandRefuse},
	{method: "POST", path: supplement, id: "p1", key: "s2", body: `{"info":{"region":"New York"}}`, status: 400},
	{method: "POST", path: supplement, id: "p1", key: "s2", body: `{}`, status: 401, stranger: true},
	{method: "POST", path: supplement, id: "p2", key: "s2", body: `{}`, status: 404},
	{method: "POST", path: supplement, id: "p1", key: "s2", body: `{}`, status: 409},
	{method: "POST", path: supplement, id: "p1", key: "s2", body: `{"info":{}}`, status: 422, turn: carriertest.HandRevoke},
	{method: "POST", path: supplement, id: "p1", key: "s2", body: `{}`, status: 429, fault: 429},
	{method: "POST", path: supplement, id: "p1", key: "s2", body: `{}`, status: 503, fault: 503},

	{method: "POST", path: cancel, id: "p1", noKeyHeader: true, status: 400},
	{method: "POST", path: cancel, id: "p1", key: "c1", status: 401, stranger: true},
	{method: "POST", path: cancel, id: "p2", key: "c1", status: 404},
	{method: "POST", path: cancel, id: "p1", key: "p1", status: 409},
	{method: "POST", path: cancel, id: "p1", key: "c1", status: 429, fault: 429},
	{method: "POST", path: cancel, id: "p1", key: "c1", status: 503, fault: 503},
	{method: "POST", path: cancel, id: "p1", key: "c1", status: 200},
	{method: "POST", path: supplement, id: "p1", key: "s3", body: `{}`, status: 409, turn: carriertest.HandCancel},
	{method: "GET", path: onePort, id: "p1", status: 200, turn: carriertest.HandComplete},
}

// portEvents is how many events the turns above make.
const portEvents = 6
