from sharewell.cli import main

main()
