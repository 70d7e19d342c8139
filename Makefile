# make run    everything from nothing to the chat on http://127.0.0.1:7860
# make test   all checks and tests; what CI runs
# make lock   write the versions in .venv into requirements.lock

.PHONY: run test lock

run:
	@tools/setup run
	@.venv/bin/patient-faq build
	@.venv/bin/python app.py

test:
	@tools/setup test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@# A process for each core, without threads of torch that would only wait for one another, and one more: browsers are waited for.
	@# Hundreds of short processes begin: none of them may have to compile the program anew.
	@OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 4 --dist loadscope --no-loadscope-reorder

lock:
	@tools/setup test
	@.venv/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > requirements.lock
