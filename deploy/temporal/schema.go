package main

import (
	"fmt"

	"github.com/iancoleman/strcase"
	"github.com/jmoiron/sqlx"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql/driver"
	"go.temporal.io/server/tools/common/schema"
	"go.temporal.io/server/tools/sql"
)

const (
	// poolSize bounds one pool. Each of the four services keeps two, so 80 connections
	// at the very most: inside a max_connections of 200, beside ours.
	poolSize = 10

	// The schemas, by their folders among the server module's embedded files.
	storeSchema      = "postgresql/v12/temporal"
	visibilitySchema = "postgresql/v12/visibility"
)

// setUpSchemas brings both databases, which must exist, to the newest schema that this
// server knows. On one that is there already it changes nothing.
func setUpSchemas(s settings, logger log.Logger) error {
	if err := setUpSchema(s.Store, storeSchema, logger); err != nil {
		return fmt.Errorf("set up the schema of %s: %w", s.Store, err)
	}
	if err := setUpSchema(s.Visibility, visibilitySchema, logger); err != nil {
		return fmt.Errorf("set up the schema of %s: %w", s.Visibility, err)
	}
	return nil
}

// setUpSchema does what `temporal-sql-tool setup-schema -v 0.0` and `update-schema` do.
// Both may be done again: the first makes the version tables where there are none, the
// second goes on from the version that it finds.
func setUpSchema(d database, name string, logger log.Logger) error {
	// The server's way in logs why it cannot connect, with a stack, and returns only that
	// it cannot; ours says why.
	pool, err := d.open(nil)
	if err != nil {
		return err
	}
	if err := pool.Close(); err != nil {
		return fmt.Errorf("close the first connection: %w", err)
	}

	connection, err := sql.NewConnection(d.storeConfig(), logger)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer connection.Close()

	setup := schema.NewSetupSchemaTask(connection, &schema.SetupConfig{InitialVersion: "0.0"}, logger)
	if err := setup.Run(); err != nil {
		return err
	}
	return schema.NewUpdateSchemaTask(connection, &schema.UpdateConfig{SchemaName: name}, logger).Run()
}

// storeConfig is how the Temporal server is told of d. It gets a way in rather than
// the parts of a URL: it would not escape a user's or a database's name, it knows no
// socket directories, and it prints its configuration at the debug level.
func (d database) storeConfig() *config.SQL {
	return &config.SQL{
		PluginName:   postgresql.PluginNamePGX,
		DatabaseName: d.name,
		Connect:      d.open,

		// Required by the server's validation, and unused beside Connect.
		ConnectProtocol: "tcp",
		ConnectAddr:     "see Connect",
	}
}

// open is what the server does where it is not given Connect, but for the URL. As many
// may idle as may be open: with fewer, a busy server opens hundreds of connections a
// second (temporal#6459).
func (d database) open(*config.SQL) (*sqlx.DB, error) {
	pool, err := (&driver.PGXDriver{}).CreateConnection(d.url)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(poolSize)
	pool.SetMaxIdleConns(poolSize)
	pool.MapperFunc(strcase.ToSnake) // The server's rows have no db tags.
	return pool, nil
}
