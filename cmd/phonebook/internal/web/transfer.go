package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/card"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

const (
	// maxImport bounds a file that is imported.
	maxImport = 256 << 20
	// progressPeriod is how often the progress of an import goes to the table, where
	// every process can see it.
	progressPeriod = 300 * time.Millisecond
	// lastProgress is how long the end of an import may take to be noted after its
	// client has gone.
	lastProgress = 5 * time.Second
)

func (s *Server) startImport(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !contact.ValidID(id) {
		s.fail(w, r, badRequest("an import's id is 8 to 64 letters a-z, digits and hyphens"))
		return
	}
	body := &countingReader{r: http.MaxBytesReader(w, r.Body, maxImport)}
	source, err := card.NewReader(r.URL.Query().Get("format"), body)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := time.Now().UnixMilli()
	total := max(0, r.ContentLength)
	err = s.book.StartProgress(r.Context(), book.Progress{ID: id, State: book.ImportRunning, Total: total, Started: now, Updated: now})
	if err != nil {
		s.fail(w, r, err)
		return
	}

	var latest atomic.Pointer[book.Progress]
	reporting, stop := context.WithCancel(r.Context())
	var reporter sync.WaitGroup
	reporter.Go(func() { s.report(reporting, &latest) })
	result, err := s.book.Import(r.Context(), id, source, func(p book.Progress) {
		p.Bytes, p.Total = body.n.Load(), total
		latest.Store(&p)
	})
	stop()
	reporter.Wait()

	result.Bytes, result.Total = body.n.Load(), total
	if err != nil {
		s.log.Warn("import ended early", "import", id, "error", err)
		if r.Context().Err() != nil {
			result.Error = "The upload was stopped."
		}
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), lastProgress)
	defer cancel()
	s.answer(w, r, http.StatusOK, result, s.book.SaveProgress(ending, result))
}

// report writes the latest progress to the table until ctx ends. A report that fails is
// made up for by the next one.
func (s *Server) report(ctx context.Context, latest *atomic.Pointer[book.Progress]) {
	ticker := time.NewTicker(progressPeriod)
	defer ticker.Stop()
	var written *book.Progress
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if p := latest.Load(); p != nil && p != written && p.State == book.ImportRunning {
			if err := s.book.SaveProgress(ctx, *p); err != nil && ctx.Err() == nil {
				s.log.Warn("progress of an import", "import", p.ID, "error", err)
			}
			written = p
		}
	}
}

// countingReader counts what was read. The count may be asked for at any time.
type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (s *Server) importProgress(w http.ResponseWriter, r *http.Request) {
	p, err := s.book.Progress(r.Context(), r.PathValue("id"))
	s.answer(w, r, http.StatusOK, p, err)
}

func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	format := r.URL.Query().Get("format")
	out, err := card.NewWriter(format, w)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	started := false
	err = s.book.Export(r.Context(), func(c contact.Contact) error {
		if !started {
			startFile(w, format)
			started = true
		}
		return out.Write(c)
	})
	if err == nil && !started { // an empty book
		startFile(w, format)
	}
	switch {
	case err == nil:
		err = out.Flush()
	case !started:
		s.fail(w, r, err)
		return
	}
	if err != nil {
		s.log.Warn("export ended early", "error", err)
		// The connection breaks, so that half a file does not look like a whole one.
		panic(http.ErrAbortHandler)
	}
}

func startFile(w http.ResponseWriter, format string) {
	name := "phonebook-" + time.Now().Format(time.DateOnly) + card.Extension(format)
	w.Header().Set("Content-Type", card.ContentType(format))
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	w.Header().Set("Cache-Control", "no-store")
}
