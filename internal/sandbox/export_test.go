package sandbox

// MigrateEnv is what cmd/migrate is told.
func (s *Sandbox) MigrateEnv() []string { return s.settings.migrateEnv() }

// WorkerEnv is what cmd/worker is told.
func (s *Sandbox) WorkerEnv() []string { return s.settings.workerPart().env }

// WorkerAdmin is the worker's /livez, /readyz and /metrics.
func (s *Sandbox) WorkerAdmin() string { return s.settings.ports.url(portWorkerAdmin) }

// Databases are the URLs of all databases, for their owner, by name.
func (s *Sandbox) Databases() map[string]string {
	all := make(map[string]string)
	for _, name := range databaseNames() {
		all[name] = s.settings.postgres.adminURL(name)
	}
	return all
}
