// Package storetest gives tests a real record: a database of its own for each test, cloned
// in some 30 ms from a template that was migrated once.
//
// Each test binary has one private Postgres, started by the first test that needs it and
// ended with the process. A package whose tests use it should end them in order:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
// A test that asks for the record alone takes New:
//
//	db := storetest.New(t)
//	sub := storetest.Subscription(t, db, storetest.Tenant(t, db))
//
// One that needs a clock, or the addresses of its database, takes Make. Everything is
// dropped when the test ends.
package storetest
