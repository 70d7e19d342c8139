"""The command patient-faq-staff: the staff's screen, and the accounts of those who may use it."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from retrieval.errors import AccountError, PatientFaqError
from retrieval.settings import Settings
from web.running import check_port
from web.staff.accounts import Accounts

__all__ = ["add", "app", "list_accounts", "main", "password", "remove", "role", "serve"]

_WRONG_USE = 2

app = typer.Typer(
    name="patient-faq-staff", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    epilog="Example: PATIENT_FAQ_STAFF_PORT=8001 patient-faq-staff",
)  # fmt: skip
_accounts = typer.Typer(
    name="accounts", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    epilog="Example: patient-faq-staff accounts",
)  # fmt: skip
app.add_typer(_accounts)

NameArgument = Annotated[str, typer.Argument(help='As the history shall show it, e.g. "Dr. Aisha Tan".', show_default=False)]
StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input instead of asking.")
]


def main() -> None:
    """Run the command; what a person can cause ends with a message and a status, never with a traceback."""
    try:
        app(prog_name="patient-faq-staff")
    except PatientFaqError as problem:
        _fail(str(problem), _WRONG_USE)
    except KeyboardInterrupt:
        _fail("Stopped. What was there before is unchanged.", 130)
    except BrokenPipeError:
        # The reader of our output went away (`| head`); there is nobody to tell.
        sys.stderr.close()
        raise SystemExit(0) from None


@app.callback(invoke_without_command=True)
def serve(context: typer.Context) -> None:
    """Serve the staff's screen until it is stopped, or look after the accounts of those who may use it.

    Settings come from the environment: PATIENT_FAQ_STAFF_HOST, _PORT, _HOSTS and _ACCOUNTS, and those of the chat.
    """
    if context.invoked_subcommand:
        return
    settings = Settings.from_environment()
    check_port(settings.staff_host, settings.staff_port, "the staff screen", "PATIENT_FAQ_STAFF_PORT=7871")
    if not Accounts(settings.staff_accounts).all():
        typer.echo(
            f"{settings.staff_accounts}: nobody has an account yet. "
            'Make one: patient-faq-staff accounts add "NAME" --role publisher', err=True
        )  # fmt: skip
    typer.echo("Starting the staff screen ...")
    sys.stdout.flush()
    from web.staff.server import serve_staff

    serve_staff(settings)


@_accounts.callback(invoke_without_command=True)
def list_accounts(context: typer.Context) -> None:
    """List who may sign in, with role and the day their password was set; or change that with a command below.

    An editor adds, edits and checks articles and takes gaps; a publisher also publishes, puts back, withdraws and exports.
    """
    if context.invoked_subcommand:
        return
    found = _opened().all()
    if not found:
        typer.echo('Nobody has an account. Make one: patient-faq-staff accounts add "NAME" --role publisher')
    width = max((len(account.name) for account in found), default=0)
    for account in found:
        typer.echo(f"{account.name:{width}}  {account.role:9}  password of {account.changed}")


@_accounts.command(epilog='Example: patient-faq-staff accounts add "Dr. Aisha Tan" --role publisher')
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="editor or publisher", show_default=False)],
    password_stdin: StdinOption = False,
) -> None:
    """Make an account; asks for a password of at least 12 characters."""
    account = _opened().add(name, role, _password(password_stdin))
    typer.echo(f"{account.name} may sign in now, as {account.role}.")


@_accounts.command(epilog='Example: patient-faq-staff accounts password "Dr. Aisha Tan"')
def password(name: NameArgument, password_stdin: StdinOption = False) -> None:
    """Set another password; whoever is signed in with the old one is signed out."""
    accounts = _opened()
    if accounts.find(name) is None:
        raise AccountError(f"{name}: there is no such account. `patient-faq-staff accounts` lists them.")
    accounts.set_password(name, _password(password_stdin))
    typer.echo("The password is set. Whoever was signed in with the old one is signed out.")


@_accounts.command(epilog='Example: patient-faq-staff accounts role "Dr. Aisha Tan" editor')
def role(name: NameArgument, role: Annotated[str, typer.Argument(help="editor or publisher", show_default=False)]) -> None:
    """Give an account another role; they have to sign in again."""
    _opened().set_role(name, role)
    typer.echo(f"The role is {role} now. They have to sign in again.")


@_accounts.command(epilog='Example: patient-faq-staff accounts remove "Dr. Aisha Tan"')
def remove(name: NameArgument) -> None:
    """Take an account away; they are signed out at once. What they did stays in the history."""
    _opened().remove(name)
    typer.echo("The account is gone. Whoever was signed in with it is signed out.")


def _opened() -> Accounts:
    return Accounts(Settings.from_environment().staff_accounts)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountError("There is no terminal to ask for the password. Give it on standard input with --password-stdin.")
    chosen: str = typer.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    return chosen


def _fail(message: str, status: int) -> NoReturn:
    sys.stderr.write(f"patient-faq-staff: {message}\n")
    raise SystemExit(status)
