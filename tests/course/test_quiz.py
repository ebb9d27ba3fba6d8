import pytest
from sharewell import SharewellError
from sharewell.quiz import Quiz

QUESTION = (
    '[{"question": "1 < 2?", "type": "multiple_choice", "answers": '
    '[{"answer": "<b>yes</b>", "correct": true, "feedback": "so it is"}]}]'
)


def test_questions_and_answers_are_text_not_markup(tmp_path):
    path = tmp_path / "q.json"
    path.write_text(QUESTION)
    html = Quiz(path)._repr_html_()
    assert "<b>" not in html
    assert "<script" not in html
    assert "1 &lt; 2?" in html
    assert repr(Quiz(path)) == "1. 1 < 2?"


@pytest.mark.parametrize("text", ["{", "[1]", '[{"question": "?"}]', '{"question": 1}'])
def test_a_file_without_questions_is_named(text, tmp_path):
    path = tmp_path / "q.json"
    path.write_text(text)
    with pytest.raises(SharewellError, match=r"q\.json holds no quiz"):
        Quiz(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SharewellError, match="cannot read the quiz"):
        Quiz(tmp_path / "none.json")


def test_a_lesson_that_was_downloaded_by_itself_finds_its_questions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "1854" in repr(Quiz("1.1-public-resource.quiz.json"))
    (tmp_path / "1.1-public-resource.quiz.json").write_text(QUESTION)
    assert repr(Quiz("1.1-public-resource.quiz.json")) == "1. 1 < 2?"
