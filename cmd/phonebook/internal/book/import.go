package book

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// A Source yields the contacts of a file one by one, and io.EOF after the last. A
// *contact.RecordError is about one record; others end the import.
type Source interface {
	Next() (contact.Contact, error)
}

// importWorkers is how many chunks of contacts are written at a time. It bounds the
// memory of an import, with the chunk's size.
const importWorkers = 6

// maxProblems is how many refused records an import remembers.
const maxProblems = 20

// importer is one running import.
type importer struct {
	book   *Book
	now    int64
	report func(Progress)
	seen   map[uint64]struct{} // IDs of this file, hashed
	seed   maphash.Seed

	mu       sync.Mutex
	progress Progress
}

// Import adds the contacts of a source. Those that are there already, by ID, stay as
// they are, and those that were deleted come back. report is called after every hundred
// records or so, never concurrently, and must be quick; nil is allowed. The result is the
// last progress, also with an error: what it counts is in the book.
//
// Unlike other writes this one has no condition: see the package comment.
func (b *Book) Import(ctx context.Context, id string, source Source, report func(Progress)) (Progress, error) {
	m := &importer{
		book: b, now: b.now().UnixMilli(), report: report,
		seen: map[uint64]struct{}{}, seed: maphash.MakeSeed(),
		progress: Progress{ID: id, State: ImportRunning, Started: b.now().UnixMilli()},
	}
	err := m.run(ctx, source)
	m.update(func(p *Progress) {
		p.State = ImportDone
		if err != nil {
			p.State, p.Error = ImportFailed, err.Error()
		}
	})
	return m.progress, err
}

// run reads chunks and hands them to the workers. It returns when all have finished.
func (m *importer) run(ctx context.Context, source Source) error {
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(importWorkers)
	var readErr error
	for readErr == nil && working.Err() == nil {
		var chunk []contact.Contact
		chunk, readErr = m.read(source)
		if len(chunk) > 0 {
			workers.Go(func() error { return m.write(working, chunk) })
		}
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return readErr
	}
	return nil
}

// read returns up to a batch of different contacts.
func (m *importer) read(source Source) ([]contact.Contact, error) {
	chunk := make([]contact.Contact, 0, batchReads)
	for len(chunk) < batchReads {
		c, err := source.Next()
		var record *contact.RecordError
		switch {
		case errors.As(err, &record):
			m.update(func(p *Progress) {
				p.Read++
				p.Refused++
				if len(p.Problems) < maxProblems {
					p.Problems = append(p.Problems[:len(p.Problems):len(p.Problems)], record.Error())
				}
			})
			continue
		case err != nil:
			return chunk, err
		}
		hash := maphash.String(m.seed, c.ID)
		if _, twice := m.seen[hash]; twice {
			m.update(func(p *Progress) { p.Read++; p.Present++ })
			continue
		}
		m.seen[hash] = struct{}{}
		c.Version, c.Created, c.Updated, c.Import = 1, m.now, m.now, m.progress.ID
		chunk = append(chunk, c)
	}
	return chunk, nil
}

func (m *importer) write(ctx context.Context, chunk []contact.Contact) error {
	there, err := m.book.states(ctx, chunk)
	if err != nil {
		return err
	}
	var selves, searches []row
	var present, restored int
	tags := map[string]string{}
	for _, c := range chunk {
		switch s, found := there[c.ID]; {
		case !found:
			rows := rowsOf(c)
			selves, searches = append(selves, rows[0]), append(searches, rows[1:]...)
			for folded, tag := range tagsOf(c) {
				tags[folded] = tag
			}
		case s.deleted:
			if err := m.book.bringBack(ctx, c.ID, s.version); err != nil {
				return err
			}
			restored++
		default:
			present++
		}
	}
	// The contact rows last: see the package comment.
	for _, rows := range [][]row{searches, selves} {
		if err := m.book.putRows(ctx, rows); err != nil {
			return err
		}
	}
	for folded, tag := range tags {
		if err := m.book.useTag(ctx, folded, tag); err != nil {
			return err
		}
	}
	m.update(func(p *Progress) {
		p.Read += len(chunk)
		p.Added += len(selves)
		p.Present += present
		p.Restored += restored
	})
	return nil
}

// bringBack restores a deleted contact unless somebody else has just written it.
func (b *Book) bringBack(ctx context.Context, id string, version int64) error {
	_, err := b.Restore(ctx, id, version)
	var conflict *ConflictError
	if errors.As(err, &conflict) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (m *importer) update(change func(*Progress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.progress)
	m.progress.Updated = m.book.now().UnixMilli()
	if m.report != nil {
		m.report(m.progress)
	}
}

// Export calls write for every contact, in the order of the names.
func (b *Book) Export(ctx context.Context, write func(contact.Contact) error) error {
	o := PageOptions{Limit: MaxPage}
	for {
		page, err := b.ByName(ctx, "", o)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		for _, c := range page.Contacts {
			if err := write(c); err != nil {
				return err
			}
		}
		if o.Cursor = page.Cursor; o.Cursor == "" {
			return nil
		}
	}
}
