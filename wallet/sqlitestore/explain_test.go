package sqlitestore

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
)

// explain returns SQLite's plan for a query.
func (c *conn) explain(query string) (string, error) {
	var s driver.StmtQueryContext
	defer c.forget(len(c.all))
	if err := prepare(c, `EXPLAIN QUERY PLAN `+query, &s); err != nil {
		return "", err
	}
	rows, err := s.QueryContext(context.Background(), nil)
	if err != nil {
		return "", err
	}
	var plan strings.Builder
	row := make([]driver.Value, 4)
	for rows.Next(row) == nil {
		fmt.Fprintln(&plan, row[3])
	}
	return plan.String(), rows.Close()
}
