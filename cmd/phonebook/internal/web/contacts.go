package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

func pageOptions(r *http.Request) (book.PageOptions, error) {
	o := book.PageOptions{Cursor: r.FormValue("cursor")}
	if text := r.FormValue("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > book.MaxPage {
			return o, badRequest("limit is a number from 1 to " + strconv.Itoa(book.MaxPage))
		}
		o.Limit = limit
	}
	return o, nil
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	o, err := pageOptions(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var page book.Page
	switch query := r.URL.Query(); {
	case query.Get("number") != "":
		page, err = s.book.ByNumber(r.Context(), query.Get("number"), o)
	case query.Get("tag") != "":
		page, err = s.book.ByTag(r.Context(), query.Get("tag"), o)
	default:
		page, err = s.book.ByName(r.Context(), query.Get("q"), o)
	}
	s.answer(w, r, http.StatusOK, page, err)
}

// answer writes a value or the error that came with it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, value any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, status, value)
}

func (s *Server) add(w http.ResponseWriter, r *http.Request) {
	var c contact.Contact
	if err := readJSON(w, r, &c); err != nil {
		s.fail(w, r, err)
		return
	}
	c.ID, c.Version = contact.NewID(), 0
	saved, err := s.book.Save(r.Context(), c)
	s.answer(w, r, http.StatusCreated, saved, err)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	c, err := s.book.Get(r.Context(), r.PathValue("id"))
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) save(w http.ResponseWriter, r *http.Request) {
	var c contact.Contact
	if err := readJSON(w, r, &c); err != nil {
		s.fail(w, r, err)
		return
	}
	c.ID = r.PathValue("id")
	saved, err := s.book.Save(r.Context(), c)
	s.answer(w, r, http.StatusOK, saved, err)
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request) {
	version, err := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	if err != nil || version < 1 {
		s.fail(w, r, badRequest("version is the number that was read with the contact"))
		return
	}
	c, err := s.book.Delete(r.Context(), r.PathValue("id"), version)
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) restore(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Version int64 `json:"version"`
	}
	err := readJSON(w, r, &body)
	if err == nil && body.Version < 1 {
		err = badRequest("version is the number that was read with the contact")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := s.book.Restore(r.Context(), r.PathValue("id"), body.Version)
	s.answer(w, r, http.StatusOK, c, err)
}

func (s *Server) deleted(w http.ResponseWriter, r *http.Request) {
	o, err := pageOptions(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := s.book.Deleted(r.Context(), o)
	s.answer(w, r, http.StatusOK, page, err)
}

func (s *Server) tags(w http.ResponseWriter, r *http.Request) {
	tags, err := s.book.Tags(r.Context())
	s.answer(w, r, http.StatusOK, map[string][]string{"tags": tags}, err)
}

// changesBudget is how long one request may read the stream.
const changesBudget = time.Second

func (s *Server) changes(w http.ResponseWriter, r *http.Request) {
	changes, behind, err := s.book.Changes.Recent(r.Context(), changesBudget)
	s.answer(w, r, http.StatusOK, struct {
		Changes []book.Change `json:"changes"`
		// Behind says that there are more records to read than one request may.
		Behind bool `json:"behind"`
	}{append([]book.Change{}, changes...), behind}, err)
}
