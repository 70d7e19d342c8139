"""python -m web.staff is the command patient-faq-staff."""

from web.staff.command import main

if __name__ == "__main__":
    main()
